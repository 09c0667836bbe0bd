-- Asks for up to `wanted` requests; answers with grants, each to be sent after its delay (seconds), or with a wait.
--
-- The lock orders those who ask, over all processes. Nothing is granted further ahead than `patience`, nor while
-- somebody of a higher priority waits, or of the same priority and earlier. Whoever must wait gets a place in the queue
-- (`ticket`, to be brought along the next time) and is told when to ask again. A waiter that does not come back within
-- `GRACE` of that time is passed over: its process may have died. Limits are requests, input and output tokens; null
-- where there is none.
CREATE FUNCTION rate_ask(
    limited_key text, server text, limits integer[], win interval, patience interval,
    wanted integer, urgency text, ticket bigint, asker text, workspace uuid
) RETURNS TABLE (
    grant_id bigint, due timestamptz, delay double precision, counted boolean,
    place bigint, ask_in double precision, waits_for text
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    GRACE CONSTANT interval := '1 second';
    BELIEVED CONSTANT interval := '1 day';  -- how long limits are believed that no reply has repeated
    -- What a request uses until a first reply has told: a template with a passage of some 5,000 words, and a
    -- conversation of 16 turns of 180 words.
    FIRST_INPUT CONSTANT integer := 8000;
    FIRST_OUTPUT CONSTANT integer := 4000;
    now_at timestamptz;
    state generation_ratestate;
    ranks text[] := ARRAY['high', 'normal', 'low'];
    ahead integer;
    alike integer;  -- others of the same priority
    they_ask_at timestamptz;
    share integer := wanted;
    slot timestamptz;
    reason text;
    granted_now integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('rate:' || limited_key, 0));
    now_at := clock_timestamp();
    SELECT * INTO state FROM generation_ratestate WHERE key = limited_key;
    IF state.reported_at < now_at - BELIEVED THEN
        UPDATE generation_ratestate SET reported_requests = NULL, reported_input = NULL, reported_output = NULL,
            reported_at = NULL WHERE key = limited_key RETURNING * INTO state;
    END IF;
    IF ARRAY[state.configured_requests, state.configured_input, state.configured_output]
            IS DISTINCT FROM limits THEN
        INSERT INTO generation_ratestate AS old (
            key, address, configured_requests, configured_input, configured_output, strikes, granted, refused
        ) VALUES (limited_key, server, limits[1], limits[2], limits[3], 0, 0, 0)
            ON CONFLICT (key) DO UPDATE SET configured_requests = limits[1], configured_input = limits[2],
                configured_output = limits[3]
            RETURNING * INTO state;
    END IF;
    state.usual_input := coalesce(state.usual_input, FIRST_INPUT);
    state.usual_output := coalesce(state.usual_output, FIRST_OUTPUT);
    counted := state.input_limit IS NOT NULL OR state.output_limit IS NOT NULL;

    SELECT count(*) FILTER (WHERE first), max(asks_at) FILTER (WHERE first), count(*) FILTER (WHERE same)
        INTO ahead, they_ask_at, alike
        FROM (
            SELECT asks_at, priority = urgency AS same,
                (array_position(ranks, priority::text), id)
                    < (array_position(ranks, urgency), coalesce(ticket, 9223372036854775807)) AS first
            FROM generation_ratewaiter
            WHERE key = limited_key AND asks_at > now_at - GRACE AND id IS DISTINCT FROM ticket
        ) AS others;

    IF ahead = 0 THEN
        IF alike > 0 AND wanted > 1 THEN
            share := rate_share(state, now_at + patience, win, alike + 1);
        END IF;
        WHILE granted_now < least(wanted, share) LOOP
            SELECT found.slot, found.reason INTO slot, reason FROM rate_slot(state, now_at, win, 1) AS found;
            EXIT WHEN slot - now_at > patience;
            INSERT INTO generation_rategrant
                (key, at, input_tokens, output_tokens, output_until, settled, refused)
            VALUES (
                limited_key, slot,
                CASE WHEN counted THEN state.usual_input ELSE 0 END,
                CASE WHEN counted THEN state.usual_output ELSE 0 END,
                CASE WHEN counted THEN slot + win ELSE slot END, false, false
            ) RETURNING id INTO grant_id;
            granted_now := granted_now + 1;
            due := slot;
            delay := extract(epoch FROM slot - now_at);
            RETURN NEXT;
        END LOOP;
    END IF;

    IF granted_now > 0 THEN
        UPDATE generation_ratestate SET granted = granted + granted_now WHERE key = limited_key;
        IF ticket IS NOT NULL THEN
            DELETE FROM generation_ratewaiter WHERE id = ticket;
        END IF;
    ELSE
        IF ahead > 0 THEN
            SELECT found.slot, found.reason INTO slot, reason FROM rate_slot(state, now_at, win, ahead + 1) AS found;
            IF slot <= now_at THEN
                reason := 'turn';
            END IF;
        END IF;
        due := slot;
        delay := extract(epoch FROM slot - now_at);
        waits_for := reason;
        -- Whoever is ahead should have come before.
        ask_in := extract(epoch FROM
            least(greatest(slot, they_ask_at + interval '20 ms', now_at + interval '50 ms') - now_at, patience));
        UPDATE generation_ratewaiter
            SET who = asker, priority = urgency, wanted = rate_ask.wanted, reason = waits_for, until = slot,
                asks_at = now_at + make_interval(secs => ask_in)
            WHERE id = ticket RETURNING id INTO place;
        IF place IS NULL THEN
            INSERT INTO generation_ratewaiter
                (key, who, of_workspace, priority, wanted, reason, since, until, asks_at)
            VALUES (
                limited_key, asker, workspace, urgency, rate_ask.wanted, waits_for, now_at, slot,
                now_at + make_interval(secs => ask_in)
            ) RETURNING id INTO place;
        END IF;
        RETURN NEXT;
    END IF;

    IF random() < 0.01 THEN
        DELETE FROM generation_rategrant
            WHERE key = limited_key AND at < now_at - 2 * win AND output_until < now_at;
        DELETE FROM generation_ratewaiter WHERE key = limited_key AND asks_at < now_at - interval '1 minute';
    END IF;
END $$;

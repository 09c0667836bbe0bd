-- Tells what became of a granted request: the tokens that it used, what the reply's headers said, and a 429.
--
-- `used` are input and output tokens; null when no reply came: the reservation then stays. `limits` and `remaining` are
-- those of the headers, for requests, input and output; null where they say nothing. `pause` is how long Claude asks to
-- wait (seconds), null when it does not say. `confirmed`: the headers say that a limit was reached.
CREATE FUNCTION rate_settle(
    limited_key text, settled_grant bigint, sent_at timestamptz, win interval, used integer[],
    limits integer[], remaining integer[], was_refused boolean, pause double precision, confirmed boolean
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    -- One refused of many is its own affair; more than this share of the last seconds' requests is everybody's.
    REFUSED_SHARE CONSTANT double precision := 0.15;
    RECENTLY CONSTANT interval := '10 seconds';
    LONGEST_PAUSE CONSTANT double precision := 300;  -- seconds
    now_at timestamptz;
    state generation_ratestate;
    refused_lately integer;
    lately integer;
    fresh boolean;  -- sent since the last pause ended: that was too short
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('rate:' || limited_key, 0));
    now_at := clock_timestamp();
    SELECT * INTO state FROM generation_ratestate WHERE key = limited_key;
    UPDATE generation_rategrant SET settled = true, refused = was_refused,
        input_tokens = CASE WHEN was_refused THEN 0 ELSE coalesce(used[1], input_tokens) END,
        output_tokens = CASE WHEN was_refused THEN 0 ELSE coalesce(used[2], output_tokens) END,
        output_until = now_at + win
    WHERE id = settled_grant;

    IF used IS NOT NULL THEN
        state.usual_input := greatest(used[1], state.usual_input * 99 / 100);
        state.usual_output := greatest(used[2], state.usual_output * 99 / 100);
    END IF;

    -- Of replies that overtook each other, the one sent last counts; of those sent together, the least.
    IF (limits IS NOT NULL OR remaining IS NOT NULL) AND sent_at >= coalesce(state.reported_at, '-infinity') THEN
        state.reported_requests := coalesce(limits[1], state.reported_requests);
        state.reported_input := coalesce(limits[2], state.reported_input);
        state.reported_output := coalesce(limits[3], state.reported_output);
        IF sent_at = state.reported_at THEN
            remaining := ARRAY[least(remaining[1], state.requests_remaining),
                least(remaining[2], state.input_remaining), least(remaining[3], state.output_remaining)];
        END IF;
        state.requests_remaining := remaining[1];
        state.input_remaining := remaining[2];
        state.output_remaining := remaining[3];
        state.reported_at := sent_at;
    END IF;

    IF was_refused THEN
        state.refused := state.refused + 1;
        SELECT count(*) FILTER (WHERE refused), count(*) INTO refused_lately, lately FROM generation_rategrant
            WHERE key = limited_key AND at > now_at - RECENTLY AND at <= now_at;
        IF confirmed OR greatest(refused_lately, 1) > REFUSED_SHARE * lately THEN
            fresh := sent_at >= coalesce(state.blocked_until, '-infinity');
            IF fresh THEN
                state.strikes := CASE WHEN now_at < state.blocked_until + win THEN state.strikes + 1 ELSE 1 END;
                state.blocked_at := now_at;
            END IF;
            pause := least(coalesce(pause, 2 ^ least(state.strikes - 1, 10)), LONGEST_PAUSE);
            state.blocked_until := greatest(state.blocked_until, now_at + make_interval(secs => pause));
        END IF;
    END IF;

    UPDATE generation_ratestate SET
        reported_requests = state.reported_requests, reported_input = state.reported_input,
        reported_output = state.reported_output, requests_remaining = state.requests_remaining,
        input_remaining = state.input_remaining, output_remaining = state.output_remaining,
        reported_at = state.reported_at, usual_input = state.usual_input, usual_output = state.usual_output,
        blocked_at = state.blocked_at, blocked_until = state.blocked_until, strikes = state.strikes,
        refused = state.refused
    WHERE key = limited_key;
END $$;

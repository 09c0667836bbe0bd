-- When the `number`-th request from now may be sent under the limits of one key, and which of them decides that.
--
-- Requests and input tokens count for a window from their sending. Output counts from the grant until a window after
-- the reply, because nobody knows when the server counts it. What Claude reported as remaining refills evenly, as in a
-- token bucket; grants since then are taken from it. A request larger than a whole limit goes when nothing else counts.
CREATE FUNCTION rate_slot(
    state generation_ratestate, now_at timestamptz, win interval, number integer, OUT slot timestamptz, OUT reason text
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    newest timestamptz;
    by_requests timestamptz;
    by_input timestamptz;
    by_output timestamptz;
    by_pause timestamptz;
    since timestamptz := state.reported_at;
    taken bigint;  -- since that report
    pace interval;
BEGIN
    SELECT at INTO newest FROM generation_rategrant WHERE key = state.key ORDER BY at DESC LIMIT 1;
    SELECT at + win INTO by_requests FROM generation_rategrant
        WHERE key = state.key AND at > now_at - win
        ORDER BY at DESC OFFSET greatest(state.requests_limit - number, 0) LIMIT 1;
    IF since < now_at - win THEN
        since := NULL;  -- everything has been refilled since then
    END IF;
    IF since IS NOT NULL AND state.requests_remaining < state.reported_requests THEN
        SELECT count(*) INTO taken FROM generation_rategrant WHERE key = state.key AND at > since;
        by_requests := greatest(
            by_requests, since + win * (taken + number - state.requests_remaining) / state.reported_requests
        );
    END IF;

    -- The newest grant that, with all that came after it, leaves too little must leave the window first.
    IF state.input_limit IS NOT NULL THEN
        SELECT at + win INTO by_input FROM (
            SELECT at, sum(input_tokens) OVER (ORDER BY at DESC ROWS UNBOUNDED PRECEDING) AS total
            FROM generation_rategrant WHERE key = state.key AND at > now_at - win
        ) AS counted
            WHERE total > greatest(state.input_limit - number::bigint * state.usual_input, 0) ORDER BY at DESC LIMIT 1;
        IF since IS NOT NULL AND state.input_remaining < state.reported_input THEN
            SELECT coalesce(sum(input_tokens), 0) INTO taken FROM generation_rategrant
                WHERE key = state.key AND at > since;
            taken := taken + least(number::bigint * state.usual_input, state.reported_input);
            by_input := greatest(by_input, since + win * (taken - state.input_remaining) / state.reported_input);
        END IF;
    END IF;

    IF state.output_limit IS NOT NULL THEN
        SELECT output_until INTO by_output FROM (
            SELECT output_until, sum(output_tokens) OVER (ORDER BY output_until DESC ROWS UNBOUNDED PRECEDING) AS total
            FROM generation_rategrant WHERE key = state.key AND output_until > now_at AND output_tokens > 0
        ) AS counted
            WHERE total > greatest(state.output_limit - number::bigint * state.usual_output, 0)
            ORDER BY output_until DESC LIMIT 1;
        IF since IS NOT NULL AND state.output_remaining < state.reported_output THEN
            SELECT coalesce(sum(output_tokens), 0) INTO taken FROM generation_rategrant
                WHERE key = state.key AND output_until > now_at AND output_tokens > 0
                  AND (NOT settled OR output_until > since + win);  -- ended after the report
            taken := taken + least(number::bigint * state.usual_output, state.reported_output);
            by_output := greatest(by_output, since + win * (taken - state.output_remaining) / state.reported_output);
        END IF;
    END IF;

    -- After a pause, evenly at half the pace; that relaxes over one window.
    IF state.blocked_until > now_at - win THEN
        pace := 2 * win / state.requests_limit * greatest(
            1 - extract(epoch FROM greatest(now_at, newest, state.blocked_until) - state.blocked_until)
                / extract(epoch FROM win), 0);
        by_pause := greatest(state.blocked_until, newest + pace * number);
    END IF;

    -- At equal times the first named: nobody is said to wait for the one before.
    SELECT earliest, word INTO slot, reason FROM (VALUES
        (greatest(now_at, newest), 'requests', 0), (by_requests, 'requests', 1), (by_input, 'input', 2),
        (by_output, 'output', 3), (by_pause, 'blocked', 4)
    ) AS limits (earliest, word, rank) WHERE earliest IS NOT NULL ORDER BY earliest DESC, rank DESC LIMIT 1;
END $$;

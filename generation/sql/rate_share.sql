-- How many requests one of so many `askers` may have at once, of those for which there is room at `soon`. One at least.
CREATE FUNCTION rate_share(state generation_ratestate, soon timestamptz, win interval, askers integer)
RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT greatest(1, ceil(least(
        state.requests_limit - sent.requests,
        (state.input_limit - sent.input_tokens) / nullif(state.usual_input, 0),  -- all of it may come from the cache
        (state.output_limit - made.output_tokens) / nullif(state.usual_output, 0)
    ) / askers::numeric))::integer
    FROM (
        SELECT count(*) AS requests, coalesce(sum(input_tokens), 0) AS input_tokens
        FROM generation_rategrant WHERE key = state.key AND at > soon - win
    ) AS sent, (
        SELECT coalesce(sum(output_tokens), 0) AS output_tokens
        FROM generation_rategrant WHERE key = state.key AND output_until > soon AND output_tokens > 0
    ) AS made
$$;

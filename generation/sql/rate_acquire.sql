-- Hands out times at which a request may be sent, so that no window of `win` holds more than `per_window` of a key.
--
-- First come, first served over all processes: the lock orders them. Up to `wanted` requests are granted, each of
-- which may be sent after the returned delay (seconds). Where not even one can be sent within `max_wait`, nothing
-- is granted and the single answer is negative: come back in so many seconds.
CREATE FUNCTION rate_acquire(
    limited_key text, wanted integer, per_window integer, win interval, max_wait interval
) RETURNS double precision[] LANGUAGE plpgsql AS $$
DECLARE
    now_at timestamptz;
    oldest timestamptz;  -- of the last `per_window` grants: once it leaves the window, there is room for one
    newest timestamptz;
    slot timestamptz;
    delays double precision[] := '{}';
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('rate:' || limited_key, 0));
    now_at := clock_timestamp();
    FOR granted IN 1..wanted LOOP
        SELECT at INTO oldest FROM generation_rategrant
            WHERE key = limited_key ORDER BY at DESC OFFSET per_window - 1 LIMIT 1;
        SELECT at INTO newest FROM generation_rategrant WHERE key = limited_key ORDER BY at DESC LIMIT 1;
        slot := greatest(now_at, oldest + win, newest);  -- greatest() ignores nulls
        IF slot - now_at > max_wait THEN
            EXIT;
        END IF;
        INSERT INTO generation_rategrant (key, at) VALUES (limited_key, slot);
        delays := delays || extract(epoch FROM slot - now_at)::double precision;
    END LOOP;
    IF cardinality(delays) = 0 THEN
        RETURN ARRAY[-extract(epoch FROM slot - now_at)::double precision];
    END IF;
    IF random() < 0.01 THEN
        DELETE FROM generation_rategrant WHERE key = limited_key AND at < now_at - 2 * win;
    END IF;
    RETURN delays;
END $$;

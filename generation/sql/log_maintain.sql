-- Makes the log's months from this one on, `ahead` further ones; drops those that ended `keep_days` ago or earlier;
-- and deletes rows of that age where no month takes them with it: in the default partition.
--
-- Call it in the scope of every workspace. Of several callers at one time, one works and the others wait.
CREATE FUNCTION generation_log_maintain(
    ahead integer, keep_days integer,
    OUT made text[], OUT moved bigint, OUT dropped text[], OUT deleted bigint
) LANGUAGE plpgsql AS $$
DECLARE
    today timestamp := now() AT TIME ZONE 'UTC';
    oldest timestamp := today - make_interval(days => keep_days);  -- to be kept
    month date;
    month_name text;
    month_moved bigint;
BEGIN
    IF keep_days < 1 OR ahead < 0 THEN
        RAISE 'keep_days is % and ahead is %: at least 1 and 0', keep_days, ahead;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('generation log', 0));
    made := '{}';
    moved := 0;
    dropped := '{}';

    DELETE FROM generation_generationlog_default WHERE created_at < oldest AT TIME ZONE 'UTC';
    GET DIAGNOSTICS deleted = ROW_COUNT;

    FOR number IN 0..ahead LOOP
        month := date_trunc('month', today) + make_interval(months => number);
        month_moved := generation_log_make_month(month);
        IF month_moved IS NOT NULL THEN
            made := made || to_char(month, 'YYYY-MM');
            moved := moved + month_moved;
        END IF;
    END LOOP;

    FOR month_name, month IN
        SELECT relname, to_date(substring(relname FROM '_([0-9]{6})$'), 'YYYYMM')  -- null for the default partition
        FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'generation_generationlog'::regclass ORDER BY relname
    LOOP
        IF month + interval '1 month' <= oldest THEN
            PERFORM generation_log_drop_month(month_name);
            dropped := dropped || to_char(month, 'YYYY-MM');
        END IF;
    END LOOP;
END $$;

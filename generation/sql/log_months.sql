-- Makes the log's partition for the month of a day (in UTC), with the rows that meanwhile lie in the default partition.
-- Returns their number, or null when the month is there already.
--
-- It reads through policies: call it in the scope of every workspace. Elsewhere rows would stay behind, which
-- PostgreSQL notices and refuses.
--
-- The keys of a new partition keep writers from the tables that they refer to. All locks are therefore taken at the
-- start and in one order, and are not waited for longer than PostgreSQL waits before it looks for a deadlock (1 s):
-- whoever is in a writer's way here gives up, never the writer.
CREATE FUNCTION generation_log_make_month(day date) RETURNS bigint LANGUAGE plpgsql
SET lock_timeout = '500ms' AS $$
DECLARE
    name text := 'generation_generationlog_' || to_char(day, 'YYYYMM');
    month timestamp := date_trunc('month', day::timestamp);
    starts timestamptz := month AT TIME ZONE 'UTC';
    ends timestamptz := (month + interval '1 month') AT TIME ZONE 'UTC';
    policy record;
    moved bigint;
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN NULL;
    END IF;
    LOCK TABLE conversations_workspace, conversations_prompttemplate, conversations_conversation
        IN SHARE ROW EXCLUSIVE MODE;
    LOCK TABLE generation_generationlog_default IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE %I (LIKE generation_generationlog INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
    EXECUTE format(
        'WITH moved AS (
            DELETE FROM generation_generationlog WHERE created_at >= %L AND created_at < %L RETURNING *
        ) INSERT INTO %I SELECT * FROM moved',
        starts, ends, name
    );
    GET DIAGNOSTICS moved = ROW_COUNT;
    -- Guarded like the whole log, also for those who read the month by its own name.
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    FOR policy IN
        SELECT polname, pg_get_expr(polqual, polrelid) AS visible FROM pg_policy
        WHERE polrelid = 'generation_generationlog'::regclass
    LOOP
        EXECUTE format('CREATE POLICY %I ON %I USING (%s)', policy.polname, name, policy.visible);
    END LOOP;
    EXECUTE format(
        'ALTER TABLE generation_generationlog ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, starts, ends
    );
    RETURN moved;
END $$;

-- Drops a month of the log with its rows. It gives up as the other does.
CREATE FUNCTION generation_log_drop_month(name text) RETURNS void LANGUAGE plpgsql
SET lock_timeout = '500ms' AS $$
BEGIN
    EXECUTE format('DROP TABLE %I', name);
END $$;

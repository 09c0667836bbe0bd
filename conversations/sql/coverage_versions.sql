-- As in coverage.sql, but for what is live: a new version of a conversation is not until it is written.
CREATE OR REPLACE FUNCTION coverage_recount(recounting uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('coverage-fold:' || recounting, 0));
    WITH
        counts AS (DELETE FROM conversations_coveragecount WHERE workspace_id = recounting),
        changes AS (DELETE FROM conversations_coveragechange WHERE workspace_id = recounting)
    INSERT INTO conversations_coveragechange (
        workspace_id, template_id, chunk_id, persona, emotion, topic, intent, tone, conversations, places
    )
    SELECT
        workspace_id, template_id, chunk_id, persona, emotion, topic, intent, tone,
        count(*), count(*) FILTER (WHERE slot <> '')
    FROM conversations_conversation
    WHERE workspace_id = recounting AND status NOT IN ('archived', 'rejected')
        AND (version = 1 OR status NOT IN ('draft', 'generating', 'failed'))
    GROUP BY workspace_id, template_id, chunk_id, persona, emotion, topic, intent, tone;
    PERFORM coverage_fold(recounting);
END $$;

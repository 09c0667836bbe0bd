-- Sums the changes of a workspace up into its counts: each change counts in every group that it belongs to.
--
-- Nobody waits: whoever finds another at it leaves it to them. The lock also makes the one who holds it the only
-- writer of counts, so that no two transactions can wait for each other here.
CREATE FUNCTION coverage_fold(folding uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('coverage-fold:' || folding, 0)) THEN
        RETURN;
    END IF;
    WITH folded AS (
        DELETE FROM conversations_coveragechange WHERE workspace_id = folding RETURNING *
    )
    INSERT INTO conversations_coveragecount AS counted (
        workspace_id, size, chunk_id, template_id, persona, emotion, topic, intent, tone, conversations, places
    )
    SELECT
        workspace_id, num_nonnulls(chunk_id, persona, emotion, topic, intent, tone), chunk_id, template_id,
        coalesce(persona, ''), coalesce(emotion, ''), coalesce(topic, ''), coalesce(intent, ''), coalesce(tone, ''),
        sum(conversations), sum(places)
    FROM folded
    GROUP BY workspace_id, GROUPING SETS (
        (chunk_id),
        (template_id),
        (template_id, persona),
        (template_id, emotion),
        (template_id, topic),
        (template_id, intent),
        (template_id, tone),
        (template_id, persona, emotion),
        (template_id, persona, topic),
        (template_id, persona, intent),
        (template_id, persona, tone),
        (template_id, emotion, topic),
        (template_id, emotion, intent),
        (template_id, emotion, tone),
        (template_id, topic, intent),
        (template_id, topic, tone),
        (template_id, intent, tone),
        (template_id, persona, emotion, topic)
    )
    -- What a group is not about reads as null here; a conversation that lacks a word ('') or a chunk is in no such group.
    HAVING persona IS DISTINCT FROM '' AND emotion IS DISTINCT FROM '' AND topic IS DISTINCT FROM ''
        AND intent IS DISTINCT FROM '' AND tone IS DISTINCT FROM ''
        AND (chunk_id IS NOT NULL OR grouping(chunk_id) = 1)
        AND (sum(conversations) <> 0 OR sum(places) <> 0)
    ON CONFLICT (workspace_id, size, chunk_id, template_id, persona, emotion, topic, intent, tone) DO UPDATE
        SET conversations = counted.conversations + EXCLUDED.conversations, places = counted.places + EXCLUDED.places;
    DELETE FROM conversations_coveragecount WHERE workspace_id = folding AND conversations = 0 AND places = 0;
END $$;

-- Counts a workspace's live conversations from the beginning. Others may write meanwhile: what is taken away and what
-- is counted are of one moment, and what is changed after it is a change as ever.
CREATE FUNCTION coverage_recount(recounting uuid) RETURNS void LANGUAGE plpgsql AS $$
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
    GROUP BY workspace_id, template_id, chunk_id, persona, emotion, topic, intent, tone;
    PERFORM coverage_fold(recounting);
END $$;

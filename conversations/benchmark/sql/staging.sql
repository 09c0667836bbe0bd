-- The tables of one connection that loads benchmark conversations. COPY is refused on tables with row-level security:
-- rows are copied here first. The real columns' types, none of their rules.
CREATE TEMPORARY TABLE staged AS
SELECT 0 AS number, id, title, template_id, tier, persona, emotion, topic, intent, tone, category, status,
    quality_score, 0 AS report, turn_count, simulated, parameters, review_history, slot, claim, chunk_id, document_id,
    created_at, ''::text AS opening, conversation_id
FROM conversations_conversation
WITH NO DATA;

CREATE TEMPORARY TABLE phrase (number integer PRIMARY KEY, text text NOT NULL);
CREATE TEMPORARY TABLE report (number integer PRIMARY KEY, metrics jsonb NOT NULL);

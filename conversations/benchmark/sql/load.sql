-- From the staging tables to the real ones. A conversation's turns say its opening and then phrases that its number
-- picks; their keys keep the time of the conversation's.
INSERT INTO conversations_conversation (
    id, workspace_id, conversation_id, title, template_id, template_version, tier, persona, emotion, topic, intent,
    tone, category, status, failure_type, failure_message, quality_score, quality_metrics, turn_count, input_tokens,
    output_tokens, cost_usd, model, simulated, parameters, review_history, reviewer_notes, parent_type, version, slot,
    claim, claim_expires_at, chunk_id, document_id, created_at, updated_at
)
SELECT staged.id, %(workspace)s, conversation_id, title, template_id, 1, tier, persona, emotion, topic, intent,
    tone, category, status,
    CASE status WHEN 'failed' THEN 'overloaded' ELSE '' END,
    CASE status WHEN 'failed' THEN 'Claude is overloaded. Try again later.' ELSE '' END,
    quality_score, coalesce(report.metrics, '{}'), turn_count, 1500 * sign(turn_count), 45 * turn_count,
    0.002 * turn_count, CASE WHEN turn_count > 0 THEN 'claude-sonnet-5-5' ELSE '' END, simulated, parameters,
    review_history, '', '', 1, slot, claim, CASE WHEN claim IS NOT NULL THEN now() + interval '1 hour' END, chunk_id,
    document_id, created_at, created_at
FROM staged LEFT JOIN report ON report.number = staged.report
ORDER BY staged.number;

INSERT INTO conversations_turn (id, workspace_id, conversation_id, position, role, content, token_count)
SELECT overlay(staged.id::text PLACING lpad(to_hex(position), 4, '0') FROM 25 FOR 4)::uuid,
    %(workspace)s, staged.id, position,
    CASE position %% 2 WHEN 1 THEN 'user' ELSE 'assistant' END,
    concat_ws(' ', CASE position WHEN 1 THEN opening END, beginning.text, ending.text),
    45
FROM staged
CROSS JOIN generate_series(1, turn_count) AS position
JOIN phrase AS beginning ON beginning.number = hashint8extended(staged.number * 100 + position, 1) & %(phrases)s
JOIN phrase AS ending ON ending.number = hashint8extended(staged.number * 100 + position, 2) & %(phrases)s
ORDER BY staged.number, position;

-- Once, in place of the triggers, which would write them with the conversations and again with the turns.
SELECT conversations_write_search_documents(array_agg(id)) FROM staged;

TRUNCATE staged;

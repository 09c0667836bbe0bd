-- Words in any language: lower case and without accents, none left out as too frequent and none cut to its stem.
CREATE TEXT SEARCH CONFIGURATION conversations_search (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION conversations_search
    ALTER MAPPING FOR word, numword, hword, numhword, hword_part, hword_numpart WITH unaccent, simple;

-- A document goes with its conversation. Foreign keys act without regard to row-level security.
ALTER TABLE conversations_searchdocument
    ADD CONSTRAINT search_document_same_workspace FOREIGN KEY (workspace_id, conversation_id)
    REFERENCES conversations_conversation (workspace_id, id) ON DELETE CASCADE ON UPDATE CASCADE;
COMMENT ON CONSTRAINT search_document_same_workspace ON conversations_searchdocument
    IS 'Leads to a conversation of the same workspace, and goes with it.';

-- Writes the documents of some conversations anew. Called by the triggers of conversations and of turns.
--
-- The marks of SEPARATORS (conversations/search.py) are taken out first, because PostgreSQL would read
-- "income/expense" as the path of a file, "-0007" as a number and what stands between < and > not at all.
-- 100,000 characters, some 16,000 words, are read: a tsvector counts no further than 16,383 words, and refuses to
-- hold more than 1 MB, which must not make saving fail.
--
-- Planned once for a connection: planning anew costs as much time as all the rest.
CREATE FUNCTION conversations_write_search_documents(written uuid[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    -- Of two transactions that write turns of one conversation, the later waits here, and then sees both.
    PERFORM FROM conversations_searchdocument WHERE conversation_id = ANY(written) ORDER BY conversation_id
        FOR NO KEY UPDATE;

    INSERT INTO conversations_searchdocument AS present (conversation_id, workspace_id, created_at, document)
    SELECT conversation.id, conversation.workspace_id, conversation.created_at, to_tsvector(
        'conversations_search',
        translate(
            left(
                concat_ws(
                    E'\n', conversation.conversation_id, conversation.title, conversation.persona,
                    conversation.emotion, conversation.topic, said.text
                ),
                100000
            ),
            '/-_.@:<>&+~', '           '
        )
    )
    FROM conversations_conversation AS conversation
    CROSS JOIN LATERAL (
        SELECT string_agg(turn.content, E'\n' ORDER BY turn.position) AS text
        FROM conversations_turn AS turn WHERE turn.conversation_id = conversation.id
    ) AS said
    WHERE conversation.id = ANY(written)
    ON CONFLICT (conversation_id) DO UPDATE SET created_at = EXCLUDED.created_at, document = EXCLUDED.document
        WHERE (present.created_at, present.document) IS DISTINCT FROM (EXCLUDED.created_at, EXCLUDED.document);
END
$$;

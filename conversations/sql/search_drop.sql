-- Removing a trigger, django-pgtrigger leaves its function.
DROP FUNCTION
    pgtrigger_search_document_of_new_394cc(),
    pgtrigger_search_document_of_changed_aef6c(),
    pgtrigger_search_document_with_turns_fa788(),
    pgtrigger_search_document_changed_turns_bb6d2(),
    pgtrigger_search_document_less_turns_4a837();

DROP FUNCTION conversations_write_search_documents(uuid[]);
ALTER TABLE conversations_searchdocument DROP CONSTRAINT search_document_same_workspace;
DROP TEXT SEARCH CONFIGURATION conversations_search;

"""Conversations found by the words in them: readable id, title, persona, emotion, topic and turns.

PostgreSQL has two good ways. Frequent words are found by reading the newest conversations until a page is full, rare
ones through the index on words; either is slow where the other is good. Its own estimate chooses badly for the many
words that it keeps no statistics of, and for words of one batch of long ago. So we look first:
`docs/decisions/0007-search.md` has the figures.
"""

import re
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db import connection
from django.db.models import Exists, OuterRef

from conversations.models.search_document import SearchDocument
from convgen.database.expressions import Among, among
from convgen.tenancy import current_scope
from convgen.text import storable

CONFIGURATION = "conversations_search"
SEPARATORS = "/-_.@:<>&+~"  # divide words; conversations/sql/search.sql has them too
LONGEST = 200  # characters of a text that are read
SHORTEST_BEGINNING = 3  # characters: shorter ones begin too many words

LOOKED_AT = 10_000  # of the newest conversations at most,
BYTES_LOOKED_AT = 30_000_000  # and so much of their documents: words are frequent
ENOUGH = 50  # when they occur in so many of these, a page's worth

TERM = re.compile(r'(?P<without>-?)(?:"(?P<phrase>[^"]*)"?|(?P<words>[^\s"]+))')
WORD = re.compile(rf"[^\s'\"\\{re.escape(SEPARATORS)}]+")

# Stops at the page's worth. The size of a document is known without reading it.
FREQUENT = """
SELECT count(*) = %(enough)s FROM (
    SELECT FROM (
        SELECT document, sum(pg_column_size(document)) OVER (
            ORDER BY created_at DESC, conversation_id DESC ROWS UNBOUNDED PRECEDING
        ) AS bytes
        FROM conversations_searchdocument {where}
        ORDER BY created_at DESC, conversation_id DESC LIMIT %(looked_at)s
    ) AS newest
    WHERE bytes < %(bytes)s AND document @@ to_tsquery(%(configuration)s, %(query)s) LIMIT %(enough)s
) AS found
"""


def with_words(text: str) -> Exists | Among:
    """The condition on conversations that every word of the text occurs in them.

    `"a phrase"` stands as it is written, `-word` must not occur, and the last word may be the beginning of one. Any
    text will do; one without a word finds nothing. Asks the database how frequent the words are.
    """
    query = as_query(text)
    documents = SearchDocument.objects.filter(document=SearchQuery(query, config=CONFIGURATION, search_type="raw"))
    if _frequent(query):
        return Exists(documents.filter(conversation=OuterRef("pk")))
    return among("pk", documents)


def as_query(text: str) -> str:
    """The text as a `tsquery`; empty when it has no word."""
    text = _beginning(storable(text))
    terms = (_term(found, last=found.end() == len(text)) for found in TERM.finditer(text))
    return " & ".join(term for term in terms if term)


def _beginning(text: str) -> str:
    """As much as is read, without a word cut in two."""
    return text if len(text) <= LONGEST else text[:LONGEST].rpartition(" ")[0]


def _term(found: re.Match[str], *, last: bool) -> str:
    words = WORD.findall(found["phrase"] or found["words"] or "")
    if not words:
        return ""
    term = " <-> ".join(f"'{word}'" for word in words)
    if found["without"]:
        return f"!({term})"
    being_typed = last and found["words"] and len(words[-1]) >= SHORTEST_BEGINNING
    return f"{term}:*" if being_typed else term


def _frequent(query: str) -> bool:
    """Whether so many of the newest conversations match that a page is soon full."""
    scope = current_scope()
    where = "WHERE workspace_id = %(workspace)s" if isinstance(scope, UUID) else ""
    values = {
        "workspace": scope if isinstance(scope, UUID) else None,
        "looked_at": LOOKED_AT,
        "bytes": BYTES_LOOKED_AT,
        "enough": ENOUGH,
        "configuration": CONFIGURATION,
        "query": query,
    }
    with connection.cursor() as cursor:
        cursor.execute(FREQUENT.format(where=where), values)
        return bool(cursor.fetchone()[0])

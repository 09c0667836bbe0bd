"""Which conversations a list shows. Each filter has its index: `docs/decisions/0008-indexes-under-row-security.md`."""

from decimal import Decimal
from uuid import UUID

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field

from conversations.choices import Status, Tier
from conversations.models import Conversation
from conversations.models.conversation_queries import ConversationQuerySet
from convgen.api.filters import After, AnyOf, Before, TrueOrFalse

SCORE = {"min_value": 0, "max_value": 10}
SCORE_IN_SCHEMA = {"type": "number", "minimum": 0, "maximum": 10}


def _word(kind: str) -> filters.CharFilter:
    return filters.CharFilter(help_text=f"The {kind}, as it is written in the conversation.")


class ConversationFilter(filters.FilterSet):
    tier = AnyOf(Tier.choices)
    status = AnyOf(Status.choices)
    persona = _word("persona")
    emotion = _word("emotion")
    topic = _word("topic")
    intent = _word("intent")
    tone = _word("tone")
    min_quality = filters.NumberFilter(method="with_at_least", help_text="0 to 10, that score included.", **SCORE)
    max_quality = filters.NumberFilter(method="with_at_most", help_text="0 to 10, that score included.", **SCORE)
    created_after = After("created_at")
    created_before = Before("created_at")
    template = filters.UUIDFilter("template_id", help_text="The template's id.")
    document = filters.UUIDFilter("document_id", help_text="The source document's id.")
    chunk = filters.UUIDFilter("chunk_id", help_text="The source chunk's id.")
    batch = filters.UUIDFilter(method="in_batch", help_text="The id of a batch that it was, or is to be, generated in.")
    simulated = TrueOrFalse(help_text="Written by simulated Claude: not training data.")
    search = filters.CharFilter(
        method="with_words",
        help_text="Every word must occur in readable id, title, persona, emotion, topic or turns. "
        '`"a phrase"` stands as it is written, `-word` must not occur; the last word may be the beginning of one.',
    )

    class Meta:
        model = Conversation
        fields: list[str] = []

    @extend_schema_field(SCORE_IN_SCHEMA)
    def with_at_least(self, rows: ConversationQuerySet, name: str, value: Decimal) -> ConversationQuerySet:
        return rows.scored(at_least=value)

    @extend_schema_field(SCORE_IN_SCHEMA)
    def with_at_most(self, rows: ConversationQuerySet, name: str, value: Decimal) -> ConversationQuerySet:
        return rows.scored(at_most=value)

    def in_batch(self, rows: ConversationQuerySet, name: str, value: UUID) -> ConversationQuerySet:
        """Batches are uphill: the relation is known by its name. Not joined, so that no row comes twice."""
        return rows.filter(pk__in=Conversation.objects.filter(batch_items__job=value).values("pk"))

    def with_words(self, rows: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return rows.matching(value)

"""Conversations asked for in words of the domain."""

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from conversations.choices import NOT_LIVE, UNWRITTEN, Status
from conversations.search import with_words

if TYPE_CHECKING:
    from conversations.models.conversation import Conversation

NEWEST = ["created_at", "id"]  # an index is read in both directions


def is_live(prefix: str = "") -> Q:
    """The condition that a conversation fills its slot: a new version does once it is written."""
    status = f"{prefix}status__in"
    first_or_written = Q(**{f"{prefix}version": 1}) | ~Q(**{status: UNWRITTEN})
    return ~Q(**{status: NOT_LIVE}) & first_or_written


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def live(self) -> Self:
        """Those that fill their slot."""
        return self.filter(is_live())

    def scored(
        self,
        *,
        at_least: Decimal | float | None = None,
        at_most: Decimal | float | None = None,
        below: Decimal | float | None = None,
    ) -> Self:
        """Those with a score in a range: `at_least` ≤ score ≤ `at_most`, or < `below`, from 0.0 to 10.0."""
        found = self.filter(quality_tenths__isnull=False)
        if at_least is not None:
            found = found.filter(quality_tenths__gte=math.ceil(_in_tenths(at_least)))
        if at_most is not None:
            found = found.filter(quality_tenths__lte=math.floor(_in_tenths(at_most)))
        if below is not None:
            found = found.filter(quality_tenths__lt=math.ceil(_in_tenths(below)))
        return found

    def for_review(self) -> Self:
        """The review queue, the weakest first, and of equals the one that waits longest."""
        return self.filter(status=Status.PENDING_REVIEW).order_by("quality_tenths", *NEWEST)

    def in_tier(self, tier: str) -> Self:
        """Those of one tier; all of them for "all"."""
        return self if tier == "all" else self.filter(tier=tier)

    def named(self, *readable_ids: str) -> Self:
        """Those with these readable ids, however they are capitalised; one of each in each workspace."""
        typed = [readable_id.strip() for readable_id in readable_ids]
        return self.filter(conversation_id__in=[*typed, *map(as_given_out, typed)])

    def in_chain_of(self, conversation: "Conversation") -> Self:
        """All versions of a conversation, itself among them."""
        first = conversation.first_version or conversation.pk
        return self.filter(Q(pk=first) | Q(first_version=first))

    def matching(self, text: str) -> Self:
        """Those in which the words of the text occur; how it may be written: `conversations/search.py`."""
        return self.filter(with_words(text))


def _in_tenths(bound: Decimal | float) -> Decimal:
    """A bound of scores may lie between two of them, which have one decimal."""
    return Decimal(str(bound)) * 10


def as_given_out(readable_id: str) -> str:
    """The readable id as it was given out, however it is capitalised: `TPL-0001-v2` of `tpl-0001-V2`."""
    return re.sub(r"-V(\d+)$", r"-v\1", readable_id.strip().upper())

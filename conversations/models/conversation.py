"""A conversation, its turns, its readable number, and the fingerprint that finds near duplicates."""

from decimal import Decimal
from typing import Self

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from conversations.choices import NOT_LIVE, WITH_TURNS, ParentType, Status, Tier, TurnRole
from conversations.models.coverage_triggers import CoverDeleted, CoverInserted, CoverUpdated
from conversations.models.prompt_template import PromptTemplate
from conversations.models.search_document import WHEN_CONVERSATIONS_CHANGE, WHEN_TURNS_CHANGE
from conversations.models.source import Chunk, Document
from conversations.models.workspace import WorkspaceRow
from conversations.search import with_words
from conversations.transitions import CONVERSATION
from convgen.database.triggers import refuse
from convgen.models import at_least, one_of
from convgen.states import Transitions
from convgen.tenancy.references import SameWorkspace, referable


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def live(self) -> Self:
        """Those that fill their slot."""
        return self.exclude(status__in=NOT_LIVE)

    def with_turns(self) -> Self:
        return self.filter(status__in=WITH_TURNS)

    def in_tier(self, tier: str) -> Self:
        """Those of one tier; all of them for "all"."""
        return self if tier == "all" else self.filter(tier=tier)

    def named(self, readable_id: str) -> Self:
        """The one with this readable id, however it is capitalised; one in each workspace."""
        typed = readable_id.strip()
        return self.filter(conversation_id__in=[typed, typed.upper()])

    def matching(self, text: str) -> Self:
        """Those in which the words of the text occur; how it may be written: `conversations/search.py`."""
        return self.filter(with_words(text))


class ReviewHistoryGrows(pgtrigger.Trigger):
    """What was decided stays on record: entries are added at the end, and neither changed nor removed."""

    name = "review_history_grows"
    when = pgtrigger.Before
    operation = pgtrigger.UpdateOf("review_history")
    condition = pgtrigger.AnyChange("review_history")
    func = f"""
        IF OLD.review_history = (
            SELECT coalesce(jsonb_agg(entry ORDER BY place), '[]')
            FROM jsonb_array_elements(NEW.review_history) WITH ORDINALITY AS history (entry, place)
            WHERE place <= jsonb_array_length(OLD.review_history)
        ) THEN
            RETURN NEW;
        END IF;
        {refuse("'The review history only grows: add an entry at its end.'", rule="review_history_grows")}
    """


class Conversation(WorkspaceRow):
    """One training example to be: its order, its status, what it cost and how good it is."""

    conversation_id = models.CharField(
        max_length=40, help_text="The readable id: TPL-0001; of later versions TPL-0001-v2."
    )
    title = models.CharField(max_length=300, blank=True)
    document = models.ForeignKey(
        Document, on_delete=models.SET_NULL, db_constraint=False, null=True, blank=True, related_name="+"
    )
    chunk = models.ForeignKey(
        Chunk, on_delete=models.SET_NULL, db_constraint=False, null=True, blank=True, related_name="conversations"
    )
    template = models.ForeignKey(
        PromptTemplate,
        on_delete=models.SET_NULL,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="conversations",
    )
    # The template's, when it was ordered or generated.
    template_version = models.PositiveIntegerField(null=True, blank=True)
    tier = models.CharField(max_length=20, choices=Tier)

    # The words it was made with: they stay what they were when a dimension is renamed.
    persona = models.CharField(max_length=200, blank=True)
    emotion = models.CharField(max_length=200, blank=True)
    topic = models.CharField(max_length=200, blank=True)
    intent = models.CharField(max_length=200, blank=True)
    tone = models.CharField(max_length=200, blank=True)
    category = models.CharField(max_length=100, blank=True)

    status = models.CharField(max_length=20, choices=Status, default=Status.DRAFT)
    failure_type = models.CharField(max_length=60, blank=True, help_text="What went wrong, as one of our error names.")
    failure_message = models.TextField(blank=True, help_text="The same in words, with what to do next.")
    # 0.0 to 10.0.
    quality_score = models.DecimalField(max_digits=3, decimal_places=1, null=True, blank=True)
    # The components of the score, advice and flags.
    quality_metrics = models.JSONField(default=dict, blank=True)
    turn_count = models.PositiveIntegerField(default=0)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    # Of all attempts, in USD.
    cost_usd = models.DecimalField(max_digits=12, decimal_places=6, default=Decimal(0))
    model = models.CharField(max_length=100, blank=True, help_text="The model that wrote it, as Claude names it.")
    simulated = models.BooleanField(default=False, help_text="Written by simulated Claude: not training data.")
    # The values of the template's placeholders.
    parameters = models.JSONField(default=dict, blank=True)

    review_history = models.JSONField(default=list, blank=True)  # who decided what, when and why; the latest last
    reviewer_notes = models.TextField(blank=True)
    parent = models.ForeignKey(
        "self", on_delete=models.SET_NULL, db_constraint=False, null=True, blank=True, related_name="versions"
    )
    parent_type = models.CharField(max_length=20, choices=ParentType, blank=True)
    version = models.PositiveIntegerField(default=1)
    slot = models.CharField(max_length=200, blank=True, help_text="Which place of the coverage plan it fills.")

    # Who is generating it at this moment: only the holder of the claim can save (see generation/claims.py).
    claim = models.UUIDField(null=True, blank=True, editable=False)
    claim_expires_at = models.DateTimeField(null=True, blank=True, editable=False)

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "conversation_id"]
        permissions = [("review_conversation", "Can approve, reject, archive and request changes to conversations")]
        constraints = [
            referable("conversation"),
            SameWorkspace("document", name="conversation_document_same_workspace"),
            SameWorkspace("chunk", name="conversation_chunk_same_workspace"),
            SameWorkspace("template", name="conversation_template_same_workspace"),
            SameWorkspace("parent", name="conversation_parent_same_workspace"),
            # A readable id means one conversation.
            models.UniqueConstraint(fields=["workspace", "conversation_id"], name="conversation_readable_id_once"),
            # One live conversation per slot: two planners at once cannot fill it twice.
            models.UniqueConstraint(
                fields=["workspace", "slot"],
                condition=~Q(slot="") & ~Q(status__in=[status.value for status in NOT_LIVE]),
                name="conversation_live_slot_once",
            ),
            one_of("tier", Tier, table="conversation"),
            one_of("status", Status, table="conversation"),
            one_of("parent_type", ParentType, table="conversation", blank=True),
            # The scale of the score.
            models.CheckConstraint(
                condition=Q(quality_score__isnull=True) | Q(quality_score__gte=0, quality_score__lte=10),
                name="conversation_quality_score_range",
            ),
            # Costs add up.
            models.CheckConstraint(condition=Q(cost_usd__gte=0), name="conversation_cost_not_negative"),
            # "generating" means that somebody holds the claim.
            models.CheckConstraint(
                condition=Q(status=Status.GENERATING.value, claim__isnull=False)
                | (~Q(status=Status.GENERATING.value) & Q(claim__isnull=True)),
                name="conversation_claim_while_generating",
            ),
            at_least("version", 1, table="conversation"),
        ]
        triggers = [
            Transitions(CONVERSATION),
            ReviewHistoryGrows(),
            CoverInserted(),
            CoverDeleted(),
            CoverUpdated(),
            *WHEN_CONVERSATIONS_CHANGE,
        ]
        indexes = [
            models.Index(fields=["status"], name="conversation_status"),  # the list, by status
            models.Index(fields=["tier"], name="conversation_tier"),  # the list, by tier
            models.Index(fields=["quality_score"], name="conversation_quality_score"),  # sorted by quality
            models.Index(fields=["created_at"], name="conversation_created_at"),  # newest first
            # The list by status, sorted by quality.
            models.Index(fields=["status", "quality_score"], name="conversation_status_quality"),
            # The list by tier and status, newest first.
            models.Index(fields=["tier", "status", "created_at"], name="conversation_tier_status_date"),
            # The review queue: the weakest first.
            models.Index(
                fields=["quality_score", "created_at"],
                condition=Q(status=Status.PENDING_REVIEW.value),
                name="conversation_review_queue",
            ),
            # Claims whose holder died.
            models.Index(
                fields=["claim_expires_at"],
                condition=Q(status=Status.GENERATING.value),
                name="conversation_claims",
            ),
            GinIndex(fields=["parameters"], name="conversation_parameters"),  # by a parameter's value
            GinIndex(fields=["quality_metrics"], name="conversation_quality_metrics"),  # by a flag
        ]

    def __str__(self) -> str:
        return self.conversation_id


class Turn(WorkspaceRow):
    """One utterance of a conversation."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, db_constraint=False, related_name="turns")
    position = models.PositiveIntegerField()
    role = models.CharField(max_length=20, choices=TurnRole)
    content = models.TextField()
    token_count = models.PositiveIntegerField(default=0, help_text="Estimated from the reply's output tokens.")

    class Meta:
        ordering = ["conversation", "position"]
        constraints = [
            SameWorkspace("conversation", name="turn_conversation_same_workspace"),
            # Reading a conversation in order; and no two turns in one place.
            models.UniqueConstraint(fields=["conversation", "position"], name="turn_position_once"),
            one_of("role", TurnRole, table="turn"),
            at_least("position", 1, table="turn"),
        ]
        triggers = [*WHEN_TURNS_CHANGE]

    def __str__(self) -> str:
        return f"{self.position}. {self.role}"


class Fingerprint(WorkspaceRow):
    """A conversation's MinHash signature, and the band keys that near duplicates share with it."""

    conversation = models.OneToOneField(
        Conversation, on_delete=models.CASCADE, db_constraint=False, related_name="fingerprint"
    )
    # The MinHash of the conversation's words.
    signature = ArrayField(models.IntegerField())
    # Hashes of parts of it: near duplicates share one.
    bands = ArrayField(models.BigIntegerField())

    class Meta:
        constraints = [
            SameWorkspace("conversation", name="fingerprint_conversation_same_workspace"),
        ]
        indexes = [
            GinIndex(fields=["bands"], name="fingerprint_bands"),  # candidates that share a band (&&)
        ]

    def __str__(self) -> str:
        return f"fingerprint of {self.conversation_id}"


class ConversationNumber(WorkspaceRow):
    """The last readable number given out in a tier of a workspace."""

    tier = models.CharField(max_length=20, choices=Tier)
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            # Each tier counts in one row, which is locked while it counts.
            models.UniqueConstraint(fields=["workspace", "tier"], name="conversation_number_once"),
            one_of("tier", Tier, table="conversation_number"),
        ]

    def __str__(self) -> str:
        return f"{self.tier}: {self.last}"

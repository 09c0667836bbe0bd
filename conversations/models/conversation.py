"""A conversation, its turns, its readable number, and the fingerprint that finds near duplicates."""

from decimal import Decimal

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast

from conversations.choices import NOT_LIVE, UNWRITTEN, ParentType, Status, Tier, TurnRole
from conversations.models.conversation_queries import NEWEST, ConversationQuerySet
from conversations.models.coverage_triggers import CoverDeleted, CoverInserted, CoverUpdated
from conversations.models.prompt_template import PromptTemplate
from conversations.models.search_document import WHEN_CONVERSATIONS_CHANGE, WHEN_TURNS_CHANGE
from conversations.models.source import Chunk, Document
from conversations.models.workspace import Workspace, WorkspaceRow
from conversations.transitions import CONVERSATION
from convgen.database.triggers import refuse
from convgen.models import at_least, one_of
from convgen.states import Transitions
from convgen.tenancy.references import SameWorkspace, referable


def _newest_by(*fields: str) -> models.Index:
    """For the list filtered by the fields, newest first, and for the list sorted by them."""
    return models.Index(fields=["workspace", *fields, *NEWEST], name=f"conversation_{'_'.join(fields)}")


def _where_there_is(reference: str) -> models.Index:
    """For an optional reference. Conversations without it cost nothing."""
    condition = Q(**{f"{reference}__isnull": False})
    return models.Index(fields=[reference], condition=condition, name=f"conversation_{reference}")


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


NOT_CURRENT_LIST = ", ".join(f"'{status.value}'" for status in (*UNWRITTEN, Status.ARCHIVED))


class OneCurrentVersion(pgtrigger.Trigger):
    """A new version is written only when the one that it replaces is archived: never are two of a chain current."""

    name = "one_current_version"
    when = pgtrigger.Before
    operation = pgtrigger.Insert | pgtrigger.UpdateOf("status")
    condition = pgtrigger.Condition(f"(NEW.version > 1 AND NEW.status NOT IN ({NOT_CURRENT_LIST}))")
    func = f"""
        IF EXISTS (SELECT FROM conversations_conversation WHERE id = NEW.parent_id AND status <> 'archived') THEN
            {refuse("'The version that this one replaces has to be archived first.'", rule="one_current_version")}
        END IF;
        RETURN NEW;
    """


class Conversation(WorkspaceRow):
    """One training example to be: its order, its status, what it cost and how good it is."""

    # The references' indexes are in Meta, where they serve more than the reference.
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False, related_name="+")
    conversation_id = models.CharField(
        max_length=40, help_text="The readable id: TPL-0001; of later versions TPL-0001-v2."
    )
    title = models.CharField(max_length=300, blank=True)
    document = models.ForeignKey(
        Document,
        on_delete=models.SET_NULL,
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
        related_name="+",
    )
    chunk = models.ForeignKey(
        Chunk,
        on_delete=models.SET_NULL,
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
        related_name="conversations",
    )
    template = models.ForeignKey(
        PromptTemplate,
        on_delete=models.SET_NULL,
        db_constraint=False,
        db_index=False,
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
    # PostgreSQL's comparisons of decimals are not leakproof: under row-level security no index finds a range of them.
    quality_tenths = models.GeneratedField(
        expression=Cast(F("quality_score") * 10, models.SmallIntegerField()),
        output_field=models.SmallIntegerField(null=True),
        db_persist=True,
        help_text="The score in tenths, which lists are filtered and sorted by.",
    )
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
        "self",
        on_delete=models.SET_NULL,
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
        related_name="versions",
    )
    parent_type = models.CharField(max_length=20, choices=ParentType, blank=True)
    version = models.PositiveIntegerField(default=1)
    # No reference: the chain stays one when its first version is deleted.
    first_version = models.UUIDField(
        null=True, blank=True, editable=False, help_text="The id of its chain's first version; null: it is the first."
    )
    slot = models.CharField(max_length=200, blank=True, help_text="Which place of the coverage plan it fills.")

    # Who is generating it at this moment: only the holder of the claim can save (see generation/claims.py).
    claim = models.UUIDField(null=True, blank=True, editable=False)
    claim_expires_at = models.DateTimeField(null=True, blank=True, editable=False)

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, db_index=False, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
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
            # Each but the first version of a chain leads to the first.
            models.CheckConstraint(
                condition=Q(version=1, first_version__isnull=True) | Q(version__gt=1, first_version__isnull=False),
                name="conversation_first_version",
            ),
            # The versions of a chain, by their numbers.
            models.UniqueConstraint(
                fields=["first_version", "version"],
                condition=Q(first_version__isnull=False),
                name="conversation_version_once",
            ),
            # Chains do not branch, whoever regenerates at the same moment. A version that was given up before it was
            # written leaves the place to another.
            models.UniqueConstraint(
                fields=["parent"],
                condition=Q(parent__isnull=False) & ~Q(status=Status.ARCHIVED.value, turn_count=0),
                name="conversation_one_successor",
            ),
        ]
        triggers = [
            Transitions(CONVERSATION),
            ReviewHistoryGrows(),
            OneCurrentVersion(),
            CoverInserted(),
            CoverDeleted(),
            CoverUpdated(),
            *WHEN_CONVERSATIONS_CHANGE,
        ]
        # Lists stand in one workspace and show the newest first: an index that leads there and holds that order finds
        # a page at once, however rare a value is and however long ago it was used last. Under row-level security only
        # comparisons can use an index (docs/decisions/0008-indexes-under-row-security.md).
        indexes = [
            models.Index(fields=["workspace", *NEWEST], name="conversation_newest"),  # the list, and a span of dates
            models.Index(fields=NEWEST, name="conversation_newest_of_all"),  # the list of all workspaces
            _newest_by("status"),  # also sorted by status
            _newest_by("tier"),  # also sorted by tier
            _newest_by("tier", "status"),
            _newest_by("persona"),
            _newest_by("emotion"),
            _newest_by("topic"),
            _newest_by("intent"),
            _newest_by("tone"),
            # The list of a template; and what a template leaves behind when it is deleted.
            models.Index(fields=["template", "workspace", *NEWEST], name="conversation_template"),
            # The list of those that simulated Claude wrote, few where Claude is real.
            models.Index(fields=["workspace", *NEWEST], condition=Q(simulated=True), name="conversation_simulated"),
            _newest_by("quality_tenths"),  # sorted by quality; a range of it
            # A status and a range of quality.
            models.Index(fields=["workspace", "status", "quality_tenths"], name="conversation_status_quality"),
            # The review queue: the weakest first.
            models.Index(
                fields=["workspace", "quality_tenths", *NEWEST],
                condition=Q(status=Status.PENDING_REVIEW.value),
                name="conversation_review_queue",
            ),
            # What is still to be written, by template: counted without reading the rows (coverage/completion.py).
            models.Index(
                fields=["workspace", "template", "tier", "status"],
                include=["version", "slot"],
                condition=Q(status__in=[status.value for status in UNWRITTEN]),
                name="conversation_unwritten",
            ),
            # Claims whose holder died, in all workspaces.
            models.Index(
                fields=["claim_expires_at"],
                condition=Q(status=Status.GENERATING.value),
                name="conversation_claims",
            ),
            # What these leave behind when they are deleted; and the list of a chunk.
            _where_there_is("chunk"),
            _where_there_is("document"),
            _where_there_is("parent"),
            _where_there_is("created_by"),
        ]

    def __str__(self) -> str:
        return self.conversation_id

    @property
    def written(self) -> bool:
        """Whether Claude has written it: it is no draft, did not fail, and was not given up before."""
        given_up = self.status == Status.ARCHIVED and not self.turn_count
        return self.status not in UNWRITTEN and not given_up


class Turn(WorkspaceRow):
    """One utterance of a conversation."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="turns"
    )
    position = models.PositiveIntegerField()
    role = models.CharField(max_length=20, choices=TurnRole)
    content = models.TextField()
    token_count = models.PositiveIntegerField(default=0, help_text="Estimated from the reply's output tokens.")

    class Meta:
        ordering = ["conversation", "position"]
        constraints = [
            SameWorkspace("conversation", name="turn_conversation_same_workspace"),
            # Reading a conversation in order, deleting it; and no two turns in one place.
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

"""The closed lists of words that rows may hold. The database checks them too."""

from django.db import models


class Role(models.TextChoices):
    """As what a member works in a workspace. `conversations/roles.py` says what each may do.

    A reviewer may do what a curator may, and a lead all. An operator keeps it running and leaves the contents alone.
    """

    CURATOR = "curator"
    REVIEWER = "reviewer"
    LEAD = "lead"
    OPERATOR = "operator"


class Tier(models.TextChoices):
    TEMPLATE = "template", "Template"
    SCENARIO = "scenario", "Scenario"
    EDGE_CASE = "edge_case", "Edge case"


class DimensionKind(models.TextChoices):
    PERSONA = "persona"
    EMOTION = "emotion"
    TOPIC = "topic"
    INTENT = "intent"
    TONE = "tone"


class Status(models.TextChoices):
    """Where a conversation stands. `conversations/transitions.py` says what may follow what."""

    DRAFT = "draft"
    GENERATING = "generating"
    GENERATED = "generated"
    PENDING_REVIEW = "pending_review", "Pending review"
    NEEDS_REVISION = "needs_revision", "Needs revision"
    APPROVED = "approved"
    REJECTED = "rejected"
    FAILED = "failed"
    ARCHIVED = "archived"


# A slot that holds a live conversation is covered; one that was archived or rejected is a gap again.
NOT_LIVE = (Status.ARCHIVED, Status.REJECTED)

# What has not been written yet. A later version of a conversation is not live before it is written: until then, the
# one that it is to replace is.
UNWRITTEN = (Status.DRAFT, Status.GENERATING, Status.FAILED)

# The statuses in which a conversation has turns that can be read, reviewed and exported.
WITH_TURNS = (Status.GENERATED, Status.PENDING_REVIEW, Status.NEEDS_REVISION, Status.APPROVED)


class Effort(models.TextChoices):
    """How much Claude puts into a reply: `output_config.effort` of the Messages API."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    XHIGH = "xhigh", "Extra high"
    MAX = "max", "Maximum"


class TurnRole(models.TextChoices):
    USER = "user"
    ASSISTANT = "assistant"


class ParentType(models.TextChoices):
    """How a conversation came from its parent."""

    REGENERATION = "regeneration"


class ExportFormat(models.TextChoices):
    OPENAI = "openai", "OpenAI chat (JSONL)"


class ExportStatus(models.TextChoices):
    COMPLETED = "completed"
    FAILED = "failed"

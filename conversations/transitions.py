"""Which status of a conversation may follow which.

draft ──→ generating ──→ generated | pending_review | failed          failed ──→ generating
generated ──→ pending_review, when an edit or other thresholds have made its score weak
generating ──→ draft, when its claim is given back before anything came of it
generated | pending_review | needs_revision ──→ approved | rejected | needs_revision
everything but generating ──→ archived
"""

from conversations.choices import Status
from convgen.states import StateMachine

_DECIDED = (Status.APPROVED, Status.REJECTED, Status.NEEDS_REVISION)

CONVERSATION = StateMachine(
    name="conversation",
    start=Status.DRAFT,
    may_become={
        Status.DRAFT: (Status.GENERATING, Status.ARCHIVED),
        Status.GENERATING: (Status.DRAFT, Status.GENERATED, Status.PENDING_REVIEW, Status.FAILED),
        Status.GENERATED: (Status.PENDING_REVIEW, *_DECIDED, Status.ARCHIVED),
        Status.PENDING_REVIEW: (*_DECIDED, Status.ARCHIVED),
        Status.NEEDS_REVISION: (*_DECIDED, Status.ARCHIVED),
        Status.APPROVED: (Status.ARCHIVED,),
        Status.REJECTED: (Status.ARCHIVED,),
        Status.FAILED: (Status.GENERATING, Status.ARCHIVED),
        Status.ARCHIVED: (),
    },
)

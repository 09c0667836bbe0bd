"""Which status of a conversation may follow which.

    draft ──→ generating ──→ generated | pending_review | failed          failed ──→ generating
    generating ──→ draft, when its claim is given back before anything came of it
    generated | pending_review | needs_revision ──→ approved | rejected | needs_revision
    everything but generating ──→ archived

A move is a conditional UPDATE on the statuses that may come before, so that of two callers one wins.
"""

from collections.abc import Mapping

from conversations.choices import Status

_DECIDED = (Status.APPROVED, Status.REJECTED, Status.NEEDS_REVISION)

MAY_BECOME: Mapping[Status, tuple[Status, ...]] = {
    Status.DRAFT: (Status.GENERATING, Status.ARCHIVED),
    Status.GENERATING: (Status.DRAFT, Status.GENERATED, Status.PENDING_REVIEW, Status.FAILED),
    Status.GENERATED: (*_DECIDED, Status.ARCHIVED),
    Status.PENDING_REVIEW: (*_DECIDED, Status.ARCHIVED),
    Status.NEEDS_REVISION: (*_DECIDED, Status.ARCHIVED),
    Status.APPROVED: (Status.ARCHIVED,),
    Status.REJECTED: (Status.ARCHIVED,),
    Status.FAILED: (Status.GENERATING, Status.ARCHIVED),
    Status.ARCHIVED: (),
}


def before(status: Status) -> tuple[Status, ...]:
    """The statuses that `status` may follow, in the order of the table."""
    return tuple(earlier for earlier, later in MAY_BECOME.items() if status in later)

"""One conversation for a worker: a batch of one, before what waits already."""

from django.db import transaction

from batches import planning
from batches.choices import OPEN, Priority, Selection
from batches.models import BatchItem
from conversations.models import Conversation
from convgen.models import User
from generation.configuration import Overrides


@transaction.atomic
def order(draft: Conversation, *, name: str, by: User, overrides: Overrides | None = None) -> None:
    """Let workers write a draft or failed conversation. `name` is the batch's; `overrides` say how Claude is asked.

    Raises `PlanError` when it is neither, or a batch is at it already.
    """
    planning.create(
        planning.Order(
            workspace=draft.workspace,
            selection=Selection.CHOSEN,
            chosen=[str(draft.pk)],
            concurrency=1,
            priority=Priority.HIGH,
            overrides=overrides or Overrides(),
            name=name,
            created_by=by,
        )
    )


def open_item(conversation: Conversation) -> BatchItem | None:
    """Its place in the batch that is at it, or that it waits in; None when there is none."""
    items = BatchItem.objects.filter(conversation=conversation, status__in=OPEN)
    return items.select_related("job", "message_batch").first()

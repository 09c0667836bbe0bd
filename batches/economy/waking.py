"""Has workers look at the message batches that are due."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django_q.tasks import async_task

from batches.choices import HOLDING
from batches.economy.models import MessageBatch

COLLECT = "batches.tasks.collect"


def wake() -> None:
    """Ask workers to look at every message batch of the scope that is due. Every worker does so every few seconds."""
    for message_batch_id in list(due().values_list("pk", flat=True)):
        _ask(message_batch_id)


def due() -> QuerySet[MessageBatch]:
    """Those that are to be looked at and that nobody is at, the longest overdue first."""
    nobody = Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lt=Now())
    waiting = MessageBatch.objects.filter(nobody, status__in=HOLDING, next_look_at__lte=Now())
    return waiting.order_by("next_look_at")


@transaction.atomic
def _ask(message_batch_id: UUID) -> None:
    """Ask once; of several reapers, one does. It is asked again only when nothing has come of it for a lease's time."""
    asked = due().filter(pk=message_batch_id).select_for_update(skip_locked=True).first()
    if asked:
        expires = Now() + timedelta(seconds=settings.BATCH_LEASE_SECONDS)
        MessageBatch.objects.filter(pk=asked.pk).update(holder="", lease_expires_at=expires)
        async_task(COLLECT, str(message_batch_id))

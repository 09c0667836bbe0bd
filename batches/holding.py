"""What a batch that has not ended needs."""

from batches.choices import OPEN
from batches.models import BatchJob
from conversations.models import Conversation


def waits_in_a_batch(conversation: Conversation) -> str:
    """Why a conversation must stay: a batch is to generate it, or does so. Empty when none is."""
    job = BatchJob.objects.filter(items__conversation=conversation, items__status__in=OPEN).first()
    return f"It waits in the batch “{job}”: let that end, or cancel it first." if job else ""

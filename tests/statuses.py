"""Statuses for tests that do not ask how they came about."""

from typing import Any

import pgtrigger
from django.db import transaction
from django.db.models import Model

RULES = {
    "Conversation": "conversations.Conversation:conversation_transitions",
    "BatchItem": "batches.BatchItem:batch_item_transitions",
}


def put(row: Model, status: str, **values: Any) -> None:
    """Give a row a status, whatever it had before: past the rule that the database keeps."""
    with pgtrigger.ignore(RULES[type(row).__name__]), transaction.atomic():
        type(row)._default_manager.filter(pk=row.pk).update(status=status, **values)

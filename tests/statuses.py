"""Statuses for tests that do not ask how they came about."""

from typing import Any

import pgtrigger
from django.db.models import Model

RULES = {
    "Conversation": "conversation_transitions",
    "BatchJob": "batch_transitions",
    "BatchItem": "batch_item_transitions",
}


def put(row: Model, status: str, **values: Any) -> None:
    """Give a row a status, whatever it had before: past the rule that the database keeps."""
    with pgtrigger.ignore(f"{row._meta.app_label}.{type(row).__name__}:{RULES[type(row).__name__]}"):
        type(row)._default_manager.filter(pk=row.pk).update(status=status, **values)

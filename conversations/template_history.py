"""What was changed in a template, by whom and when, as simple_history has recorded it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db.models import QuerySet, TextChoices

from conversations.models import PromptTemplate

FOLLOWS = ("version", "updated_at")  # from other changes: not told as changes themselves


class Kind(TextChoices):
    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"


KINDS = {"+": Kind.CREATED, "~": Kind.CHANGED, "-": Kind.DELETED}


@dataclass(frozen=True)
class FieldChange:
    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    version: int  # of the template, after the change
    kind: Kind
    changed_at: datetime
    changed_by: str | None  # user name; None: a command, or somebody who is no longer known
    changes: list[FieldChange]  # none where it was created or deleted


def records(template: PromptTemplate) -> QuerySet[Any]:
    """The template's record after each change."""
    rows: QuerySet[Any] = template.history.all()
    return rows.filter(workspace=template.workspace_id).select_related("history_user")


def changes(page: Sequence[Any]) -> list[Change]:
    """The changes that led to these neighbouring records, in their order, whichever it is."""
    oldest_first = sorted(page, key=lambda record: (record.history_date, record.history_id))
    before = oldest_first[0].prev_record if oldest_first else None
    told = {record.history_id: _change(record, former) for former, record in pairwise([before, *oldest_first])}
    return [told[record.history_id] for record in page]


def _change(record: Any, former: Any) -> Change:
    kind = KINDS[record.history_type]
    user = record.history_user
    return Change(
        version=record.version,
        kind=kind,
        changed_at=record.history_date,
        changed_by=user.username if user else None,
        changes=_changed(record, former) if kind == Kind.CHANGED and former else [],
    )


def _changed(record: Any, former: Any) -> list[FieldChange]:
    delta = record.diff_against(former, excluded_fields=FOLLOWS)
    return [FieldChange(each.field, each.old, each.new) for each in delta.changes]

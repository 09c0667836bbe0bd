"""Which values of a conversation a person may change, when, and what they may be."""

from collections.abc import Mapping
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db.models import Field

from conversations.choices import DimensionKind, Status
from conversations.models import Conversation
from conversations.turns import cleaned_turns
from convgen.text import storable, storable_json

TEXTS = ("title", "category", "reviewer_notes")
# What it is made with. Once it is made, these say what it was made with.
ORDER = (*DimensionKind.values, "parameters")
FIELDS = (*TEXTS, *ORDER, "turns")

OPEN_TO_ORDER = (Status.DRAFT, Status.FAILED)
OPEN_TO_TURNS = (Status.GENERATED, Status.PENDING_REVIEW, Status.NEEDS_REVISION)

# Why the turns are closed, and what to do instead.
_TURNS_CLOSED = {
    Status.DRAFT: "It has no turns yet: generate it first.",
    Status.FAILED: "It has no turns: generate it again first.",
    Status.APPROVED: "It was approved as it stands: regenerate it for a new version.",
    Status.REJECTED: "It was rejected: regenerate it for a new version.",
    Status.ARCHIVED: "It is archived: regenerate it for a new version.",
}
GENERATING = "It is being generated: wait until that has ended."
ORDER_CLOSED = "It was made with this, which stays on record: regenerate it with another value."


def cleaned(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are stored. Raises ValidationError with all problems, by field."""
    values: dict[str, Any] = {}
    problems: dict[str, Any] = {}
    for name, given in changes.items():
        try:
            values[name] = _cleaned(name, given)
        except ValidationError as error:
            problems[name] = error
    if problems:
        raise ValidationError(problems)
    return values


def refuse_closed(status: str, names: Mapping[str, Any]) -> None:
    """Raises ValidationError (its code is “status”), by field, where the status does not let the fields be changed."""
    reasons = {name: reason for name in names if (reason := _why_closed(status, name))}
    if reasons:
        raise ValidationError({name: ValidationError(reason, code="status") for name, reason in reasons.items()})


def may_change_turns(status: str) -> bool:
    return status in OPEN_TO_TURNS


def _why_closed(status: str, name: str) -> str:
    if status == Status.GENERATING:
        return GENERATING
    if name == "turns":
        return "" if may_change_turns(status) else _TURNS_CLOSED[Status(status)]
    return ORDER_CLOSED if name in ORDER and status not in OPEN_TO_ORDER else ""


def _cleaned(name: str, given: Any) -> Any:
    if name not in FIELDS:
        raise ValidationError(f"It cannot be changed. What can: {', '.join(FIELDS)}.", code="unknown")
    if name == "turns":
        return cleaned_turns(given)
    if name == "parameters":
        return _cleaned_parameters(given)
    if not isinstance(given, str):
        raise ValidationError("Give a text.")
    field = cast("Field[Any, Any]", Conversation._meta.get_field(name))
    return field.clean(storable(given).strip(), None)


def _cleaned_parameters(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ValidationError('Give an object of names and values, as in {"age": 41}.')
    parameters: dict[str, Any] = storable_json(given)
    return parameters

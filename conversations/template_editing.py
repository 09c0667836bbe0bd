"""What people do to a prompt template: create it, change it, delete it. Each is one transaction, and in its history."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction

from conversations.applicability import Choices, mean_for
from conversations.models import PromptTemplate, Workspace
from convgen.models import User


class TemplateChanged(Exception):
    """Somebody else has changed this template since you read it. Read it again, and repeat your change."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def edition(template: PromptTemplate) -> str:
    """Names what a template holds at present. Unlike the version, it is another one after every change."""
    return f"{template.version}-{template.updated_at.timestamp() * 1_000_000:.0f}"


@transaction.atomic
def create(*, workspace: Workspace, values: Mapping[str, Any], meant_for: Choices, by: User | None) -> PromptTemplate:
    template = PromptTemplate(workspace_id=workspace.pk, **values)
    template._history_user = by  # read by simple_history
    template.save(force_insert=True)
    mean_for(template, meant_for)
    return template


@transaction.atomic
def change(
    template: PromptTemplate,
    *,
    values: Mapping[str, Any],
    meant_for: Choices,
    by: User | None,
    seen: Collection[str] | None = None,
) -> PromptTemplate:
    """Change the values that are given, and only them; the template as it is then.

    `seen` are editions, one of which it must still be at: else `TemplateChanged` is raised, and nothing overwritten.
    """
    current = _locked(template, seen)
    if not values and not meant_for:
        return current
    for name, value in values.items():
        setattr(current, name, value)
    current.save_edited(by=by)
    mean_for(current, meant_for)
    return current


@transaction.atomic
def delete(template: PromptTemplate, *, by: User | None, seen: Collection[str] | None = None) -> None:
    """Delete it; its conversations stay, and so does its history. Raises `TemplateChanged`, as `change` does."""
    current = _locked(template, seen)
    current._history_user = by
    current.delete()


def _locked(template: PromptTemplate, seen: Collection[str] | None) -> PromptTemplate:
    current = PromptTemplate.objects.select_for_update().get(pk=template.pk)
    if seen is not None and edition(current) not in seen:
        raise TemplateChanged
    return current

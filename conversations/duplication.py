"""A copy of a template, to try out a change on."""

from itertools import count

from django.db import transaction

from conversations.models import PromptTemplate, TemplateApplicability
from convgen.models import User

NAME_LENGTH = 200
OWN = ("id", "name", "active", "version", "usage_count", "rating", "created_at", "updated_at")  # not copied


@transaction.atomic
def duplicate(template: PromptTemplate, *, by: User | None = None) -> PromptTemplate:
    """Copy the template with all that it applies to: inactive, at version 1, under a name of its own."""
    fields = [field.attname for field in template._meta.concrete_fields if field.name not in OWN]
    copy = PromptTemplate(name=_free_name(template), active=False, **{name: getattr(template, name) for name in fields})
    copy._history_user = by  # read by simple_history
    copy.save()
    TemplateApplicability.objects.bulk_create(
        TemplateApplicability(workspace_id=copy.workspace_id, template=copy, dimension_id=row.dimension_id)
        for row in template.applicability.all()
    )
    return copy


def _free_name(template: PromptTemplate) -> str:
    """`Grief (copy)`, then `Grief (copy 2)` …"""
    for number in count(1):
        suffix = " (copy)" if number == 1 else f" (copy {number})"
        name = template.name[: NAME_LENGTH - len(suffix)] + suffix
        if not PromptTemplate.objects.filter(workspace_id=template.workspace_id, name=name).exists():
            return name
    raise AssertionError("unreachable")

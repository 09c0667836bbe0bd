"""Which personas, emotions and topics a template is meant for. A kind without any means: for all of them."""

from collections.abc import Collection, Mapping, Sequence

from django.core.exceptions import ValidationError
from django.db.models import Q

from conversations.choices import DimensionKind
from conversations.models import Dimension, PromptTemplate, TemplateApplicability, Workspace
from convgen.text import as_key

APPLICABLE = (DimensionKind.PERSONA, DimensionKind.EMOTION, DimensionKind.TOPIC)

Choices = Mapping[DimensionKind, Sequence[Dimension]]


def choosable(template: PromptTemplate | None) -> Q:
    """The condition on dimensions that a template can be meant for: active ones, and whatever it has chosen already."""
    active = Q(active=True, kind__in=APPLICABLE)
    return active if template is None else active | Q(pk__in=template.applicability.values("dimension"))


def named(
    names: Collection[str], *, kind: DimensionKind, workspace: Workspace, template: PromptTemplate | None
) -> list[Dimension]:
    """The dimensions of a kind that are meant by these names or ids. Raises ValidationError with those unknown."""
    rows = Dimension.objects.filter(choosable(template), workspace=workspace, kind=kind)
    ids = {name: id for name in names if (id := as_key(name))}
    found = list(rows.filter(Q(name__in=names) | Q(pk__in=ids.values())))
    known = {str(one.pk) for one in found} | {one.name for one in found}
    if unknown := [name for name in names if name not in known and str(ids.get(name)) not in known]:
        listed = ", ".join(f"“{name}”" for name in unknown)
        raise ValidationError(f"There is no active {kind.value} {listed} here. Create it first, or take another one.")
    return found


def mean_for(template: PromptTemplate, choices: Choices) -> None:
    """Have the template meant for these dimensions, and no others of their kinds."""
    chosen = [dimension for dimensions in choices.values() for dimension in dimensions]
    of_kinds = template.applicability.filter(dimension__kind__in=list(choices))
    of_kinds.exclude(dimension__in=chosen).delete()
    TemplateApplicability.objects.bulk_create(
        [
            TemplateApplicability(workspace_id=template.workspace_id, template=template, dimension=dimension)
            for dimension in chosen
        ],
        ignore_conflicts=True,
    )

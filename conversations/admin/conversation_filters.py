"""What the list of conversations is filtered by. Each has its index (docs/decisions/0008)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from conversations.admin.panel import BoundFilter, DateFilter, PanelFilter, ScoreFilter
from conversations.admin.scoping import visible
from conversations.choices import DimensionKind, Status, Tier
from conversations.models import Chunk, Dimension, PromptTemplate, Workspace
from conversations.models.conversation_queries import ConversationQuerySet, is_live
from convgen.text import as_key

STANDING, MADE_WITH, QUALITY, CREATED = "Where it stands", "Made with", "Quality", "Created"
RANGES = {"weak": (0, 6), "fair": (6, 8), "good": (8, 11)}  # upper bound excluded


class WordFilter(PanelFilter):
    """Rows that hold exactly the value."""

    field: str

    def queryset(self, request: HttpRequest, conversations: QuerySet[Any]) -> QuerySet[Any]:
        return conversations if self.value() is None else conversations.filter(**{self.field: self.value()})


class StatusFilter(WordFilter):
    title, parameter_name, field, group = "status", "status__exact", "status", STANDING

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return Status.choices


class TierFilter(WordFilter):
    title, parameter_name, field, group = "tier", "tier__exact", "tier", STANDING

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return Tier.choices


class SimulatedFilter(PanelFilter):
    title, parameter_name, group = "written by", "simulated__exact", STANDING

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [("0", "Claude, or not yet written"), ("1", "Simulated Claude")]

    def queryset(self, request: HttpRequest, conversations: QuerySet[Any]) -> QuerySet[Any]:
        wanted = {"0": conversations.filter(simulated=False), "1": conversations.filter(simulated=True)}
        return conversations if self.value() is None else wanted.get(cast(str, self.value()), conversations.none())


class LiveFilter(PanelFilter):
    """By which numbers of the plan lead to the conversations behind them."""

    title, parameter_name, group = "counts in the plan", "live", STANDING

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No: archived, rejected, or a new version not yet written")]

    def queryset(self, request: HttpRequest, conversations: QuerySet[Any]) -> QuerySet[Any]:
        conditions = {"yes": is_live(), "no": ~is_live()}
        if self.value() is None:
            return conversations
        condition = conditions.get(cast(str, self.value()))
        return conversations.filter(condition) if condition else conversations.none()


class RowFilter(PanelFilter):
    """Conversations that refer to one row of another table."""

    field: str

    def queryset(self, request: HttpRequest, conversations: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return conversations
        key = as_key(self.value())
        return conversations.filter(**{self.field: key}) if key else conversations.none()


class TemplateFilter(RowFilter):
    title, parameter_name, field, group = "template", "template__id__exact", "template", MADE_WITH

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        templates = visible(PromptTemplate.objects.order_by("name"))
        return [(str(pk), name) for pk, name in templates.values_list("pk", "name")]


class SourceFilter(RowFilter):
    """Not offered, since passages are many: a passage's own page leads here."""

    title, parameter_name, field, group = "source", "chunk__id__exact", "chunk", MADE_WITH

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        key = as_key(self.value())
        chunks = visible(Chunk.objects.filter(pk=key).select_related("document").defer("text")) if key else []
        return [(str(chunk.pk), str(chunk)) for chunk in chunks]


class WorkspaceFilter(RowFilter):
    """For those who look at all workspaces at once."""

    title, parameter_name, field, group = "workspace", "workspace__id__exact", "workspace", STANDING

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        workspaces = visible(Workspace.objects.order_by("name"))
        return [(str(pk), name) for pk, name in workspaces.values_list("pk", "name")]


class DimensionFilter(WordFilter):
    """By the values that curators keep: a few rows, where the conversations' own words would have to be gathered."""

    group = MADE_WITH

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        dimensions = visible(Dimension.objects.filter(kind=self.field))
        names = dimensions.order_by("position", "name").values_list("name", flat=True)
        return [(name, name) for name in dict.fromkeys(names)]


def _filter_by(kind: DimensionKind) -> type[DimensionFilter]:
    named = {"field": kind.value, "title": kind.label.lower(), "parameter_name": kind.value}
    return type(f"{kind.label}Filter", (DimensionFilter,), named)


class QualityFilter(PanelFilter):
    title, parameter_name, group = "quality", "quality", QUALITY

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [
            ("weak", "Weak: below 6.0"),
            ("fair", "Fair: 6.0 to 7.9"),
            ("good", "Good: 8.0 and better"),
            ("none", "Not scored"),
        ]

    def queryset(self, request: HttpRequest, conversations: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == "none":
            return conversations.filter(quality_tenths__isnull=True)
        if value not in RANGES:
            return conversations if value is None else conversations.none()
        lowest, highest = RANGES[value]
        return cast(ConversationQuerySet, conversations).scored(at_least=lowest, below=highest)


class _ScoreFilter(ScoreFilter):
    group = QUALITY
    end: str

    def queryset(self, request: HttpRequest, conversations: QuerySet[Any]) -> QuerySet[Any]:
        rows = cast(ConversationQuerySet, conversations)
        return bounded(self, rows, lambda bound: rows.scored(**{self.end: bound}))


class QualityFromFilter(_ScoreFilter):
    title, parameter_name, end = "quality from", "quality_from", "at_least"


class QualityToFilter(_ScoreFilter):
    title, parameter_name, end = "quality to", "quality_to", "at_most"


class CreatedFilter(PanelFilter):
    title, parameter_name, group = "created", "created", CREATED

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [("today", "Today"), ("week", "In the last 7 days"), ("month", "This month")]

    def queryset(self, request: HttpRequest, conversations: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return conversations
        today = timezone.localdate()
        begins = {"today": today, "week": today - timedelta(days=6), "month": today.replace(day=1)}
        begin = begins.get(cast(str, self.value()))
        return conversations.filter(created_at__gte=_begin_of(begin)) if begin else conversations.none()


class CreatedFromFilter(DateFilter):
    title, parameter_name, group = "created from", "created_from", CREATED

    def queryset(self, request: HttpRequest, conversations: QuerySet[Any]) -> QuerySet[Any]:
        return bounded(self, conversations, lambda day: conversations.filter(created_at__gte=_begin_of(day)))


class CreatedToFilter(DateFilter):
    """That day included."""

    title, parameter_name, group = "created to", "created_to", CREATED

    def queryset(self, request: HttpRequest, conversations: QuerySet[Any]) -> QuerySet[Any]:
        return bounded(self, conversations, lambda day: conversations.filter(created_at__lt=_end_of(day)))


def bounded(spec: BoundFilter, conversations: QuerySet[Any], narrow: Any) -> QuerySet[Any]:
    """The rows that `narrow` leaves of a bound; all without one, and none with one that cannot be read."""
    if spec.value() is None:
        return conversations
    bound = spec.bound()
    return conversations.none() if bound is None else narrow(bound)


def _begin_of(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day))


def _end_of(day: date) -> datetime:
    return _begin_of(day + timedelta(days=1))


FILTERS: list[Any] = [
    StatusFilter,
    TierFilter,
    SimulatedFilter,
    LiveFilter,
    TemplateFilter,
    *(_filter_by(kind) for kind in DimensionKind),
    SourceFilter,
    QualityFilter,
    QualityFromFilter,
    QualityToFilter,
    CreatedFilter,
    CreatedFromFilter,
    CreatedToFilter,
]

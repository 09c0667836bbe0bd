"""The form in which a batch is ordered: what it is to take, and how it is run."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest

from batches.changing import concurrency_problem
from batches.choices import ENDED, Delivery, ErrorHandling, Priority, Selection, TierFilter
from batches.models import BatchJob
from batches.planning import Order
from conversations.admin.fields import LinesField
from conversations.admin.pairs import PairsField
from conversations.admin.scoping import ELSEWHERE, sees_several, visible
from conversations.choices import Effort
from conversations.choosing import workspaces_of
from conversations.models import Workspace
from convgen.text import as_key
from generation.configuration import Overrides
from generation.retries import MOST_ATTEMPTS

FORMER = 20  # ended batches with failed items that are offered
SLIDER = 5  # conversations at the same time, at the end of the slider
OLDER = "Only older models take it."

SELECTIONS = [
    (Selection.GAPS.value, "Everything that the plan still lacks"),
    (Selection.DRAFTS.value, "Drafts only"),
    (Selection.FAILED.value, "Failed ones only"),
    (Selection.CHOSEN.value, "Some that I name"),
]
DELIVERIES = [(Delivery.LIVE.value, "Live"), (Delivery.ECONOMY.value, "Economy")]


def _share(label: str) -> forms.DecimalField:
    """From 0 to 1."""
    return forms.DecimalField(
        min_value=Decimal(0), max_value=Decimal(1), required=False, label=label, help_text=OLDER, step_size=0.01
    )


class Slider(forms.NumberInput):
    input_type = "range"


class OrderForm(forms.Form):
    workspace = forms.ModelChoiceField(
        Workspace.objects.none(), empty_label=None, error_messages={"invalid_choice": ELSEWHERE}
    )
    tier = forms.ChoiceField(
        choices=TierFilter.choices, initial=TierFilter.ALL, label="Which tier?", widget=forms.RadioSelect
    )
    selection = forms.ChoiceField(
        choices=SELECTIONS, initial=Selection.GAPS, label="Which conversations?", widget=forms.RadioSelect
    )
    of_batch = forms.TypedChoiceField(coerce=UUID, empty_value=None, required=False, label="Failed in")
    chosen = LinesField(
        required=False, label="Their ids", help_text="One in each line, as in TPL-0007. Drafts and failed ones only."
    )
    delivery = forms.ChoiceField(choices=DELIVERIES, initial=Delivery.LIVE, widget=forms.RadioSelect)
    concurrency = forms.IntegerField(
        min_value=1,
        initial=3,
        widget=Slider,
        label="At the same time",
        help_text="More is faster. Fewer is gentler on a rate limit that others share.",
    )
    more_at_once = forms.IntegerField(
        min_value=1,
        required=False,
        label="More at the same time",
        help_text="In place of the slider.",
    )
    error_handling = forms.ChoiceField(
        choices=ErrorHandling.choices, initial=ErrorHandling.CONTINUE, label="If one fails", widget=forms.RadioSelect
    )
    budget_usd = forms.DecimalField(
        min_value=Decimal(0),
        max_digits=12,
        decimal_places=6,
        required=False,
        label="Budget in USD",
        help_text="It pauses before it would cost more. Empty: no limit.",
        widget=forms.NumberInput(attrs={"step": "any", "placeholder": "no limit"}),
    )
    shared_parameters = PairsField(
        original={},
        required=False,
        label="Values for all of them",
        help_text="For placeholders of the templates, one in each line: city = Oslo",
    )
    model = forms.CharField(
        required=False, max_length=100, help_text="As in claude-sonnet-5-5. Empty: what template or workspace say."
    )
    priority = forms.ChoiceField(
        choices=Priority.choices, initial=Priority.NORMAL, help_text="Who goes first when several batches wait."
    )
    max_attempts = forms.IntegerField(
        min_value=1,
        max_value=MOST_ATTEMPTS,
        required=False,
        label="Tries for each",
        help_text="Requests for one conversation, at most. Empty: as the settings say.",
    )
    max_tokens = forms.IntegerField(min_value=1, required=False, label="Longest reply", help_text="In tokens.")
    effort = forms.ChoiceField(
        choices=[("", "as usual"), *Effort.choices],
        required=False,
        help_text="How much Claude thinks.",
    )
    temperature = _share("Temperature")
    top_p = _share("Top-p")
    agreed = forms.CharField(required=False, widget=forms.HiddenInput)  # the fingerprint of the plan that was shown

    rarely = ("more_at_once", "model", "effort", "max_tokens", "temperature", "top_p", "max_attempts", "priority")

    def __init__(self, data: Any, *, workspaces: QuerySet[Workspace], current: Workspace | None) -> None:
        super().__init__(data, label_suffix="")
        workspace, of_batch = self.fields["workspace"], self.fields["of_batch"]
        workspace.queryset, workspace.initial = workspaces, current  # type: ignore[attr-defined]
        if not sees_several():
            workspace.widget = forms.HiddenInput()
        of_batch.choices = _former(self["of_batch"].value())  # type: ignore[attr-defined]
        self.fields["chosen"].widget.attrs["rows"] = 3
        self.fields["concurrency"].widget.attrs["max"] = max(SLIDER, _number(self["concurrency"].value()))
        self.fields["more_at_once"].widget.attrs["max"] = settings.MAX_BATCH_CONCURRENCY

    def clean(self) -> dict[str, Any]:
        """Refuse here what `planning` would refuse, beside the field; the larger number goes before the slider's."""
        cleaned = super().clean() or {}
        field = "more_at_once" if cleaned.get("more_at_once") else "concurrency"
        if problem := concurrency_problem(cleaned.get(field)):
            self.add_error(field, problem)
        if cleaned.get("selection") == Selection.CHOSEN and cleaned.get("chosen") == []:
            self.add_error("chosen", "Name at least one conversation.")
        return cleaned

    @property
    def rare(self) -> list[forms.BoundField]:
        """What few people need."""
        return [self[name] for name in self.rarely]

    @property
    def rare_is_used(self) -> bool:
        """Whether one of them is not as it usually is."""
        return any(field.errors or (field.value() or "") != (field.initial or "") for field in self.rare)

    @property
    def counted(self) -> Workspace | None:
        """The workspace whose numbers stand beside the choices."""
        try:
            chosen: Workspace | None = self.fields["workspace"].clean(self["workspace"].value())
        except forms.ValidationError:
            return None
        return chosen

    def order(self, *, by: Any) -> Order:
        """What a valid form asks for."""
        given = self.cleaned_data
        overrides = ("model", "max_tokens", "effort", "temperature", "top_p")
        return Order(
            workspace=given["workspace"],
            tier=given["tier"],
            selection=given["selection"],
            chosen=given["chosen"] if given["selection"] == Selection.CHOSEN else (),
            of_batch=given["of_batch"] if given["selection"] == Selection.FAILED else None,
            concurrency=given["more_at_once"] or given["concurrency"],
            error_handling=given["error_handling"],
            priority=given["priority"],
            overrides=Overrides(**{name: given[name] for name in overrides}),
            max_attempts=given["max_attempts"] or 0,
            budget_usd=given["budget_usd"],
            delivery=given["delivery"],
            shared_parameters=given["shared_parameters"],
            created_by=by,
        )


def form_for(request: HttpRequest, given: dict[str, Any]) -> OrderForm:
    """The form with what is given, and what it usually holds for the rest."""
    workspaces = workspaces_of(request)
    offered = visible(Workspace.objects.order_by("name"))
    current = workspaces.current or next(iter(workspaces.choices), None)
    usual = OrderForm(None, workspaces=offered, current=current)
    initial = {name: usual.get_initial_for_field(field, name) for name, field in usual.fields.items()}
    values = {name: value for name, value in initial.items() if value is not None}
    if current:
        values["workspace"] = current.pk
    return OrderForm({**values, **given}, workspaces=offered, current=current)


def _number(value: Any) -> int:
    digits = str(value)
    return int(digits) if digits.isdecimal() and len(digits) < 10 else 0


def _former(asked: Any) -> list[tuple[str, str]]:
    """Ended batches with failed items: the latest, and the one that is asked for."""
    ended = visible(BatchJob.objects.filter(status__in=ENDED, failed_items__gt=0)).order_by("-created_at")
    named = {str(pk): name for pk, name in ended.values_list("pk", "name")[:FORMER]}
    if str(asked) not in named and (key := as_key(str(asked))):
        named |= {str(pk): name for pk, name in visible(BatchJob.objects.filter(pk=key)).values_list("pk", "name")}
    return [("", "any batch"), *named.items()]

"""The form in which a batch is ordered: what it is to take, and how it is run."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.db.models import QuerySet

from batches.changing import concurrency_problem
from batches.choices import ENDED, Delivery, ErrorHandling, Priority, Selection, TierFilter
from batches.models import BatchJob
from batches.planning import Order
from conversations.admin.fields import LinesField
from conversations.admin.pairs import PairsField
from conversations.admin.scoping import ELSEWHERE, sees_several, visible
from conversations.choices import Effort
from conversations.models import Workspace
from generation.configuration import Overrides
from generation.retries import MOST_ATTEMPTS

FORMER = 20  # ended batches with failed items that are offered
ELSE = "What is left empty is as templates, workspace and settings say."
OLDER = "Only older models take it."


def _share(label: str) -> forms.DecimalField:
    """From 0 to 1."""
    return forms.DecimalField(
        min_value=Decimal(0), max_value=Decimal(1), required=False, label=label, help_text=OLDER, step_size=0.01
    )


class OrderForm(forms.Form):
    workspace = forms.ModelChoiceField(
        Workspace.objects.none(), empty_label=None, error_messages={"invalid_choice": ELSEWHERE}
    )
    tier = forms.ChoiceField(choices=TierFilter.choices, initial=TierFilter.ALL)
    selection = forms.ChoiceField(choices=Selection.choices, initial=Selection.GAPS, label="Conversations")
    of_batch = forms.TypedChoiceField(
        coerce=UUID, empty_value=None, required=False, label="Failed in", help_text="Where failed ones are chosen."
    )
    chosen = LinesField(required=False, label="Ids", help_text="Where they are chosen by id: one in each line.")
    delivery = forms.ChoiceField(choices=Delivery.choices, initial=Delivery.LIVE)
    priority = forms.ChoiceField(choices=Priority.choices, initial=Priority.NORMAL)
    concurrency = forms.IntegerField(min_value=1, initial=3, label="Calls in flight")
    error_handling = forms.ChoiceField(
        choices=ErrorHandling.choices, initial=ErrorHandling.CONTINUE, label="When one fails"
    )
    budget_usd = forms.DecimalField(
        min_value=Decimal(0), max_digits=12, decimal_places=6, required=False, label="Budget", help_text="USD, at most."
    )
    max_attempts = forms.IntegerField(
        min_value=1,
        max_value=MOST_ATTEMPTS,
        required=False,
        label="Requests",
        help_text="For one conversation, at most. Empty: as the settings say.",
    )
    shared_parameters = PairsField(
        original={}, required=False, help_text="Values of placeholders, one in each line, as in: city = Oslo"
    )
    model = forms.CharField(required=False, max_length=100)
    max_tokens = forms.IntegerField(min_value=1, required=False, label="Longest reply", help_text="Tokens.")
    effort = forms.ChoiceField(choices=[("", "–"), *Effort.choices], required=False)
    temperature = _share("Temperature")
    top_p = _share("Top-p")
    agreed = forms.CharField(required=False, widget=forms.HiddenInput)  # the fingerprint of the plan that was shown

    def __init__(self, data: Any, *, workspaces: QuerySet[Workspace], current: Workspace | None) -> None:
        super().__init__(data)
        workspace, of_batch = self.fields["workspace"], self.fields["of_batch"]
        workspace.queryset, workspace.initial = workspaces, current  # type: ignore[attr-defined]
        if not sees_several():
            workspace.widget = forms.HiddenInput()
        of_batch.choices = _former(self["of_batch"].value())  # type: ignore[attr-defined]
        self.fields["chosen"].widget.attrs["rows"] = 3
        self.fields["concurrency"].widget.attrs["max"] = settings.MAX_BATCH_CONCURRENCY

    def clean_concurrency(self) -> int:
        """Refused here, beside the field, as `planning` would refuse it."""
        concurrency: int = self.cleaned_data["concurrency"]
        if problem := concurrency_problem(concurrency):
            raise forms.ValidationError(problem)
        return concurrency

    def fieldsets(self) -> list[tuple[str, dict[str, Any]]]:
        where = ["workspace"] if sees_several() else []
        run = [("delivery", "priority"), ("concurrency", "error_handling"), "budget_usd", "max_attempts"]
        asked = ["model", ("max_tokens", "effort"), ("temperature", "top_p")]
        return [
            ("What", {"fields": [*where, "tier", "selection", "of_batch", "chosen"]}),
            ("How", {"fields": [*run, "shared_parameters"]}),
            ("How Claude is asked", {"fields": asked, "classes": ["collapse"], "description": ELSE}),
        ]

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
            concurrency=given["concurrency"],
            error_handling=given["error_handling"],
            priority=given["priority"],
            overrides=Overrides(**{name: given[name] for name in overrides}),
            max_attempts=given["max_attempts"] or 0,
            budget_usd=given["budget_usd"],
            delivery=given["delivery"],
            shared_parameters=given["shared_parameters"],
            created_by=by,
        )


def _former(asked: Any) -> list[tuple[str, str]]:
    """Ended batches with failed items: the latest, and the one that is asked for."""
    ended = visible(BatchJob.objects.filter(status__in=ENDED, failed_items__gt=0)).order_by("-created_at")
    named = {str(pk): name for pk, name in ended.values_list("pk", "name")[:FORMER]}
    if asked and str(asked) not in named:
        named |= {str(pk): name for pk, name in _batch(asked).values_list("pk", "name")}
    return [("", "any batch"), *named.items()]


def _batch(asked: Any) -> QuerySet[BatchJob]:
    try:
        return visible(BatchJob.objects.filter(pk=UUID(str(asked))))
    except ValueError:
        return BatchJob.objects.none()

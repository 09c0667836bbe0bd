"""What stands at the top of every page: the batches that run, and that simulated Claude answers."""

from typing import Any

from django import template

from batches.running import RunningBatches, may_look, running_batches
from generation.endpoint import named_endpoint

register = template.Library()


@register.inclusion_tag("batches/running.html", takes_context=True)
def running_pills(context: dict[str, Any]) -> dict[str, RunningBatches]:
    """A pill for each running batch, up to three, and how many more there are."""
    may = may_look(context["request"])
    return {"batches": running_batches() if may else RunningBatches([], 0)}


@register.simple_tag
def answered_by_simulated_claude() -> bool:
    """Whether nothing that is generated now is training data."""
    return bool(named_endpoint().simulated)

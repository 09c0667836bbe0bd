"""The page where one conversation is chosen: the form, and beside it the prompt that Claude would read.

The preview is drawn by the server, with every answer: a script asks for it at each change, a button without one.
"""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from batches.one.doors import Door, Refused
from batches.one.form import MakingForm, TemplateForm
from batches.wording import dollars
from conversations.admin.scoping import signed_in
from conversations.models import Conversation
from generation.endpoint import named_endpoint
from generation.forecast import Forecast
from generation.sketch import Sketch, sketch

PREVIEW = "prompt-preview"
PARTS = {PREVIEW: "batches/one/preview.html", "making": "batches/one/form.html"}  # by id: shown anew alone
LOOKS_ONLY = ("preview", "choose")  # the buttons that order nothing


def choose(
    request: HttpRequest, door: Door | None, context: Mapping[str, Any], templates: TemplateForm | None = None
) -> HttpResponse | Conversation:
    """The page, or what was ordered by it. Without a door, the template is still to be chosen."""
    if door is None:
        return _shown(request, None, None, context, templates)
    if request.method != "POST" or any(name in request.POST for name in LOOKS_ONLY):
        given = request.POST if request.method == "POST" else request.GET
        form = MakingForm(None, base=door.base, source=door.source, given=given.dict())
        return _shown(request, door, form, context, templates)
    form = MakingForm(request.POST, base=door.base, source=door.source)
    ordered = _ordered(request, door, form)
    return ordered or _shown(request, door, form, context, templates)


def _ordered(request: HttpRequest, door: Door, form: MakingForm) -> Conversation | None:
    """What was ordered; None where something is against it, which the form says."""
    look = sketch(form.draft())
    if form.is_valid():
        _complain(form, look)
    if form.errors:
        return None
    try:
        return door.order(form.changes(), signed_in(request))
    except Refused as error:
        form.add_error(None, str(error))
        return None


def _complain(form: MakingForm, look: Sketch) -> None:
    for name, sentence in look.problems.items():
        place = form.field_of(name)
        form.add_error(place, f"{name}: {sentence}" if place == "others" else sentence)
    if look.trouble:
        form.add_error(None, look.trouble)


def _shown(
    request: HttpRequest,
    door: Door | None,
    form: MakingForm | None,
    context: Mapping[str, Any],
    templates: TemplateForm | None,
) -> HttpResponse:
    part = request.headers.get("HX-Target", "")
    shown = {
        **({} if part in PARTS else admin.site.each_context(request)),
        "title": door.title if door else "Generate one conversation",
        "opts": Conversation._meta,
        "door": door,
        "form": form,
        "templates": templates,
        "address": request.get_full_path(),
        "simulated": named_endpoint().simulated,
        **(_looked_at(form) if form else {}),
        **context,
    }
    template = PARTS.get(part, "batches/one/choose.html")
    return TemplateResponse(request, template, {**shown, "live": part == PREVIEW})


def _looked_at(form: MakingForm) -> dict[str, Any]:
    look = sketch(form.draft())
    missing = [(name.replace("_", " "), form.field_of(name), sentence) for name, sentence in look.problems.items()]
    return {"look": look, "missing": missing, "cost": _cost_in_words(look.forecast) if look.forecast else ""}


def _cost_in_words(forecast: Forecast) -> str:
    low, high = dollars(forecast.lowest_usd), dollars(forecast.highest_usd)
    return f"about {dollars(forecast.cost_usd)} ({low} to {high})"

"""Step one: which conversations, and how. A first-time user just presses *Next*."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from batches.choices import Delivery
from batches.wizard.offered import Offer, offers
from batches.wizard.order_form import SLIDER, OrderForm, form_for
from batches.wizard.steps import Step, may_generate, page_of, refuse_unless

DELIVERY_WORDS = {
    Delivery.LIVE.value: "Begins at once. You can watch it, pause it and cancel it.",
    Delivery.ECONOMY.value: "Half the price. Claude writes when it has time: usually within an hour, at most a day.",
}


@dataclass(frozen=True)
class Choice:
    """A radio button, and what stands beside it."""

    radio: object
    words: str = ""
    offer: Offer | None = None


def view(request: HttpRequest) -> HttpResponse:
    """The form: as it usually is, or with values in the address, or with those that a later step sends back."""
    refuse_unless(may_generate(request))
    given = request.POST if request.method == "POST" else request.GET
    return page(request, form_for(request, given.dict()))


def page(request: HttpRequest, form: OrderForm) -> HttpResponse:
    workspace = form.counted
    offered = {offer.tier: offer for offer in offers(workspace)} if workspace else {}
    shown = {
        "form": form,
        "workspace": workspace,
        "tiers": [Choice(radio, offer=offered.get(radio.data["value"])) for radio in form["tier"]],
        "deliveries": [Choice(radio, DELIVERY_WORDS[radio.data["value"]]) for radio in form["delivery"]],
        "marks": range(1, SLIDER + 1),
    }
    context = page_of(request, Step.CONFIGURE, "Generate conversations", shown)
    return TemplateResponse(request, "batches/wizard/configure.html", context)

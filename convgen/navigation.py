"""The navigation at the left of every page.

Pages of the apps are named by their URLs' names, as links between apps are, and not imported.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import reverse


@dataclass(frozen=True)
class Place:
    """A page that the navigation leads to, and what else belongs to it: the beginnings of addresses below `/admin/`."""

    label: str
    icon: str
    url_name: str
    key: str  # after g, it leads there
    permission: str = ""  # without one: whoever is signed in
    query: str = ""
    holds: Sequence[str] = ()


PLACES = (
    Place("Dashboard", "dashboard", "index", "d"),
    Place(
        "Conversations",
        "conversations",
        "conversations_conversation_changelist",
        "c",
        "conversations.view_conversation",
        holds=["conversations/conversation/"],
    ),
    Place(
        "Review",
        "review",
        "conversations_conversation_changelist",
        "r",
        "conversations.review_conversation",
        query="status__exact=pending_review&o=4",  # the lowest score first
    ),
    Place(
        "Batches",
        "batches",
        "batches_batchjob_changelist",
        "b",
        "batches.view_batchjob",
        holds=["batches/"],
    ),
    Place(
        "Coverage",
        "coverage",
        "conversations_coverage",
        "v",
        "conversations.view_prompttemplate",
        holds=["coverage/"],
    ),
    Place(
        "Templates",
        "templates",
        "conversations_prompttemplate_changelist",
        "t",
        "conversations.view_prompttemplate",
        holds=["conversations/prompttemplate/"],
    ),
    Place(
        "Sources",
        "sources",
        "conversations_document_changelist",
        "o",
        "conversations.view_document",
        holds=["conversations/document/", "conversations/chunk/"],
    ),
    Place(
        "Exports",
        "exports",
        "conversations_export_changelist",
        "e",
        "conversations.view_export",
        holds=["conversations/export/"],
    ),
    Place(
        "Logs",
        "logs",
        "generation_generationlog_changelist",
        "l",
        "generation.view_generationlog",
        holds=["generation/generationlog/"],
    ),
    Place("Settings", "settings", "settings", "s"),
)


@dataclass(frozen=True)
class Entry:
    """A place as one page shows it."""

    place: Place
    url: str
    current: bool


def entries_for(request: HttpRequest) -> list[Entry]:
    """The places that the person may open. At most one of them is where she is."""
    seen = [place for place in PLACES if not place.permission or request.user.has_perm(place.permission)]
    here = _place_of(request, seen)
    return [Entry(place, _url(place), place is here) for place in seen]


def _url(place: Place) -> str:
    address = reverse(f"admin:{place.url_name}")
    return f"{address}?{place.query}" if place.query else address


def _place_of(request: HttpRequest, places: Sequence[Place]) -> Place | None:
    """A page of its own, with the query that makes it one; else the page that holds it; what nobody holds is set."""
    exact = [place for place in places if place.query and _url(place) == request.get_full_path()]
    if exact:
        return exact[0]
    base = reverse("admin:index")
    below = request.path.removeprefix(base)
    if not below or not request.path.startswith(base):
        return next((place for place in places if request.path == urlsplit(_url(place)).path), None)
    holding = [place for place in places if any(below.startswith(start) for start in place.holds)]
    return holding[0] if holding else places[-1]

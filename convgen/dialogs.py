"""Dialogs: each is a page at its own URL, which a browser with JavaScript may show upon another page.

A view renders a template that begins with `{% extends frame %}`, and answers both: the page, and what the dialog asks
for (`convgen/static/convgen/dialogs.js`). Forms and links within a dialog stay in it, redirects included.
"""

from typing import Any, Literal, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

TARGET = "dialog-body"  # the id of the element that a dialog's content is put into
PAGE, DIALOG = "admin/base_site.html", "admin/dialog.html"

Answer = TypeVar("Answer", bound=HttpResponse)
Level = Literal["success", "info", "warning", "error"]


def in_dialog(request: HttpRequest) -> bool:
    """Whether the answer is shown in a dialog, and not as a page."""
    return request.headers.get("HX-Target") == TARGET


def frame(request: HttpRequest) -> dict[str, Any]:
    """For templates (a context processor): what a page extends that may be a dialog too."""
    dialog = in_dialog(request)
    return {"frame": DIALOG if dialog else PAGE, "in_dialog": dialog}


def leave(request: HttpRequest, url: str) -> HttpResponse:
    """Go to another page. From a dialog it is left for that; a plain redirect would stay within it."""
    return HttpResponseClientRedirect(url) if request.headers.get("HX-Request") else HttpResponseRedirect(url)


def changed(response: Answer) -> Answer:
    """Have the page behind the dialog loaded anew when the dialog is closed: what it shows is no longer true."""
    return trigger_client_event(response, "page-is-stale", {})


def toast(response: Answer, text: str, level: Level = "success") -> Answer:
    """Have the browser say something, where no page is loaded that would show Django's messages."""
    return trigger_client_event(response, "toast", {"text": text, "level": level})

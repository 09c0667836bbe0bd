"""The API as pages: each address shows what it answers, and takes what may be sent to it, in the admin's frame."""

import json
import re
from typing import Any

from django.contrib import admin
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import exceptions
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request, override_method

from convgen.api import description

# The parts of JSON that have a colour; a text before a colon is a name.
TOKENS = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|(-?\b\d+(?:\.\d+)?(?:[eE][-+]?\d+)?\b)')
ADDRESS = re.compile(r"https?://\S+")
SENDABLE = ("POST", "PATCH", "DELETE")


class Pages(BrowsableAPIRenderer):
    """Forms hold JSON alone, as the API takes nothing else; what they begin with is the schema's example."""

    def get_context(self, data: Any, accepted_media_type: str | None, renderer_context: Any) -> dict[str, Any]:
        view, request, response = (renderer_context[name] for name in ("view", "request", "response"))
        operations = description.operations_at(request.path)
        shown = operations.get(request.method.lower()) or next(iter(operations.values()), {})
        return {
            **_of_the_admin(request),
            "title": shown.get("summary") or self.get_name(view),
            "description": _marked(shown.get("description", "")),
            "allowed_methods": [each for each in view.allowed_methods if each != "OPTIONS"],
            "content": self._content(data, accepted_media_type, renderer_context),
            "response": response,
            "headers": sorted(response.items()),
            "media_type": "application/json",
            "breadcrumbs": self._breadcrumbs(request),
            "previous": data.get("previous") if isinstance(data, dict) else None,
            "next": data.get("next") if isinstance(data, dict) else None,
            "filters": self._filters(view, request, response),
            "orderings": _orderings(view),
            "below": description.below(request.path) if operations else [],
            "forms": self._forms(data, view, request, operations),
            "workspace": getattr(view, "workspace_or_none", None),
        }

    def _content(self, data: Any, accepted_media_type: str | None, renderer_context: Any) -> SafeString:
        if renderer_context["response"].status_code == 204:
            return SafeString("")
        return coloured(self.get_content(JSONRenderer(), data, accepted_media_type or "", renderer_context))

    def _breadcrumbs(self, request: Request) -> list[tuple[str, str]]:
        """The names and addresses of what is above: the parts of the path."""
        parts = [part for part in request.path.split("/") if part][:-1]
        return [(part, f"/{'/'.join(parts[: place + 1])}/") for place, part in enumerate(parts)]

    def _filters(self, view: Any, request: Request, response: Any) -> Any:
        """The form of a list's filters, where there is a list or what was asked of it was wrong."""
        if getattr(view, "action", None) != "list" or response.status_code not in (200, 400):
            return None
        filters = DjangoFilterBackend().get_filterset(request, view.get_queryset(), view)
        return filters.form if filters else None

    def _forms(self, data: Any, view: Any, request: Request, operations: dict[str, Any]) -> list[dict[str, Any]]:
        row = getattr(getattr(data, "serializer", None), "instance", None)
        forms = []
        for method in SENDABLE:
            with override_method(view, request, method) as asked:
                if self._may(view, method, asked):
                    operation = operations.get(method.lower(), {})
                    forms.append({"method": method, "body": _body(method, operation, view, row), **_words(operation)})
        return forms

    def _may(self, view: Any, method: str, request: Request) -> bool:
        if method not in view.allowed_methods or not request.user.is_authenticated:
            return False
        try:
            view.check_permissions(request)
        except exceptions.APIException:
            return False
        return True


def coloured(content: str) -> SafeString:
    """JSON as HTML: its parts in colours, its addresses as links."""
    parts, end = [], 0
    for token in TOKENS.finditer(content):
        parts += [escape(content[end : token.start()]), _token(token)]
        end = token.end()
    return mark_safe("".join([*parts, escape(content[end:])]))


def _token(token: re.Match[str]) -> str:
    text, colon, word, number = token.groups()
    if colon is not None:
        return format_html('<span class="name">{}</span>{}', text, colon)
    if text is not None:
        return _text(text)
    return format_html('<span class="{}">{}</span>', "word" if word else "number", word or number)


def _text(quoted: str) -> str:
    address = json.loads(quoted)
    if ADDRESS.fullmatch(address):
        return format_html('<span class="text">"<a href="{}">{}</a>"</span>', address, quoted[1:-1])
    return format_html('<span class="text">{}</span>', quoted)


def _of_the_admin(request: Request) -> dict[str, Any]:
    """What the admin's header needs."""
    return {
        "site_header": admin.site.site_header,
        "site_title": admin.site.site_title,
        "has_permission": admin.site.has_permission(request),
        "is_nav_sidebar_enabled": False,
        "is_popup": False,
    }


def _orderings(view: Any) -> list[str]:
    return [each for name in getattr(view, "orderings", ()) for each in (name, f"-{name}")]


def _words(operation: dict[str, Any]) -> dict[str, str]:
    return {"summary": operation.get("summary", ""), "description": _marked(operation.get("description", ""))}


def _marked(text: str) -> SafeString:
    """The schema's Markdown, as far as it is used: code between backticks."""
    return mark_safe(re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text)))


def _body(method: str, operation: dict[str, Any], view: Any, row: Any) -> str | None:
    """What the text field begins with; None for a request without a body."""
    if method == "DELETE" or (operation and "requestBody" not in operation):
        return None
    body = _writable(view, row) if method == "PATCH" and row is not None else {}
    return json.dumps(body or description.example_of(operation) or {}, indent=4, ensure_ascii=False, default=str)


def _writable(view: Any, row: Any) -> dict[str, Any]:
    """What can be changed of a row, as it is; nothing where another serializer reads the changes."""
    serializer = view.get_serializer(row)
    return {name: value for name, value in serializer.data.items() if not serializer.fields[name].read_only}

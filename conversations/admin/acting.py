"""A list whose actions are confirmed on a page of their own, and whose rows are chosen on its form.

Django's own way runs an action at once, and only where a row is ticked. Here the form can also say that everything is
meant, a row's button can do one thing with that row, and whoever cancels finds what she had chosen still ticked.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from conversations.admin.confirming import Chosen, Confirmation, chosen
from conversations.admin.lists import LeanChangeList, LeanListAdmin
from convgen.dialogs import leave

NONE_CHOSEN = "Choose conversations first: tick the boxes at the beginning of their rows."
TOO_MANY = "These are too many to act on at once. Filter or search the list first, then choose again."
TICKED = "ticked_conversations"  # in the session: what was chosen when an action was cancelled
BOX = '<input type="checkbox" class="action-select" name="_selected_action" value="{}" aria-label="Choose {}"{}>'
FILTERS = "_changelist_filters"  # Django's name for the list's address, in that of a page that leads back to it


class BarButton(NamedTuple):
    """How an action looks in the bar above the list."""

    label: str
    icon: str
    danger: bool = False


class ActingChangeList(LeanChangeList):
    def get_results(self, request: HttpRequest) -> None:
        """What was chosen before an action was cancelled is ticked again, once."""
        super().get_results(request)
        ticked = request.session.pop(TICKED, ()) if request.method == "GET" else ()
        for row in self.result_list:
            row.ticked = str(row.pk) in ticked


class ActingAdmin(LeanListAdmin):
    """Lists rows with UUIDs as keys."""

    bar: ClassVar[Mapping[str, BarButton]] = {}  # the actions, in their order

    def action_checkbox(self, row: Any) -> SafeString:
        ticked = mark_safe(" checked") if row.ticked else ""
        return format_html(BOX, row.pk, row, ticked)

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.confirm_view)
        return [path("<uuid:pk>/confirm/<slug:action>/", page, name=self._named("confirm")), *super().get_urls()]

    def _named(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self._sent(request)
        if "" in request.GET.values():
            return HttpResponseRedirect(_without_empty(request))
        return super().changelist_view(request, {"bar": self._buttons(request), **(extra_context or {})})

    def confirm_view(self, request: HttpRequest, pk: UUID, action: str) -> HttpResponse:
        """The confirmation for one row, as its menu leads to it. It is confirmed by the list's form."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        rows = self.get_queryset(request).filter(pk=pk)
        if not rows.exists():
            raise Http404("There is no such conversation.")
        answer = self._function(request, action)(self, request, rows)
        return answer or HttpResponseRedirect(self.list_url(request))

    def confirm(self, request: HttpRequest, asked: Confirmation) -> HttpResponse:
        """The page that says what will happen."""
        match = request.resolver_match
        one = match.kwargs.get("pk") if match else None
        return asked.page(request, self, list_url=self.list_url(request), one=one)

    def list_url(self, request: HttpRequest) -> str:
        """The list as the person left it."""
        address = reverse(f"admin:{self._named('changelist')}")
        if request.path == address:
            return request.get_full_path()
        filters = request.GET.get(FILTERS, "")
        return f"{address}?{QueryDict(filters).urlencode()}" if filters else address

    def _sent(self, request: HttpRequest) -> HttpResponse:
        """The list's form, or the confirmation's."""
        sent, back = chosen(request), leave(request, request.get_full_path())
        if "cancel" in request.POST:
            request.session[TICKED] = [str(key) for key in sent.keys]
            return back
        function = self._function(request, sent.action)
        try:
            rows = self._rows(request, sent)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")
        if rows is None:
            return back
        if not rows.exists():
            self.message_user(request, NONE_CHOSEN, messages.WARNING)
            return back
        return function(self, request, rows) or back

    def _rows(self, request: HttpRequest, sent: Chosen) -> QuerySet[Any] | None:
        """What was chosen; none when that is more than a list counts."""
        if not sent.everything:
            return self.get_queryset(request).filter(pk__in=sent.keys)
        changes = self.get_changelist_instance(request)
        if changes.paginator.more:
            self.message_user(request, TOO_MANY, messages.ERROR)
            return None
        return changes.get_queryset(request)

    def _function(self, request: HttpRequest, action: str) -> Any:
        """The action, for those who may."""
        known = self.get_actions(request).get(action)
        if known is None:
            raise PermissionDenied
        return known[0]

    def _buttons(self, request: HttpRequest) -> list[tuple[str, BarButton]]:
        allowed = self.get_actions(request)
        return [(name, button) for name, button in self.bar.items() if name in allowed]


def _without_empty(request: HttpRequest) -> str:
    """The same address without what its form left empty."""
    filled = QueryDict(mutable=True)
    for name, values in request.GET.lists():
        filled.setlist(name, [value for value in values if value])
    return f"{request.path}?{filled.urlencode()}"

"""Lists and pages of a common kind."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from conversations.admin.counting import CappedPaginator
from conversations.admin.scoping import WorkspaceRowAdmin


def about_one(page: Callable[[Any, HttpRequest, Any], HttpResponse]) -> Callable[[Any, HttpRequest, str], HttpResponse]:
    """The view of a page about one row, given the row instead of its key, for those who may look at it.

    A key that leads to none is answered as Django's own pages do: with a word about it, at the start.
    """

    @wraps(page)
    def view(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            nowhere: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return nowhere
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return page(self, request, row)

    return view


class LeanChangeList(ChangeList):
    """A list that leaves the columns named in `list_defer` in the database."""

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        rows = super().get_queryset(request, *args, **kwargs)
        return rows.defer(*getattr(self.model_admin, "list_defer", ()))


class LeanListAdmin(WorkspaceRowAdmin):
    """For many rows, and rows with long texts, which the list does not show."""

    list_defer: Sequence[str] = ()
    paginator = CappedPaginator

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LeanChangeList

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any) -> Any:
        """Run an action; never on more rows than the page could tell the number of."""
        everything = request.POST.get("select_across", "0") != "0"
        if everything and CappedPaginator(queryset, self.list_per_page).more:
            refusal = "These are too many to act on at once. Filter or search the list first, then choose again."
            self.message_user(request, refusal, messages.ERROR)
            return None
        return super().response_action(request, queryset, *args, **kwargs)


class ReviewPermission(BaseModelAdmin):
    """For actions and pages of those who decide about conversations."""

    def has_review_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("conversations.review_conversation")


class NeverByHand(BaseModelAdmin):
    """For what is looked at, and never changed by hand."""

    def has_add_permission(self, request: HttpRequest, *obj: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(NeverByHand, LeanListAdmin):
    """For records."""

"""What most views of the API are: in one workspace, and allowed by a role there."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, ClassVar, cast

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import exceptions, mixins
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.permissions import RolePermission
from conversations.choosing import ALL, SESSION_KEY, WorkspaceRefused, Workspaces, choose
from conversations.middleware import HEADER, keep_scope
from conversations.models import Workspace
from convgen.api.ordering import Ordering
from convgen.api.views import ThrottledView, ThrottledViewSet
from convgen.models import User
from convgen.tenancy import workspace_scope

ONE_ONLY = "The API works in one workspace at a time: send the slug of one in X-Workspace."


class WorkspaceView(ThrottledView):
    """A view in the scope of one workspace: that of the header `X-Workspace`, else the user's default one.

    `permissions` name what each method needs, or each action of a viewset, as `app.codename`.
    """

    permission_classes = [RolePermission]
    permissions: ClassVar[Mapping[str, str]]
    workspace_or_none: Workspace | None = None
    _reading: ExitStack | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with ExitStack() as self._entered:
            response = super().dispatch(request, *args, **kwargs)
            if isinstance(response, Response):
                response.render()  # within the scope: the browsable API reads the choices of its forms
            if isinstance(response, StreamingHttpResponse) and self.workspace_or_none:
                keep_scope(response, self.workspace_or_none.pk)
            return response

    def prepare(self, request: Request) -> None:
        """Enter the workspace."""
        if request.method in SAFE_METHODS:
            # In one transaction: by itself, each statement in a scope takes four ways to PostgreSQL instead of one.
            self._reading = self._entered.enter_context(ExitStack())
            self._reading.enter_context(transaction.atomic())
        if request.user.is_authenticated:
            self.workspace_or_none = current = _workspaces(request).current
            if current:
                self._entered.enter_context(workspace_scope(current.pk))

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if self._reading:
            transaction.set_rollback(True)  # a statement may have failed, and the error's page is still to be made
            self._reading.close()
        return response

    @property
    def workspace(self) -> Workspace:
        """The one that is worked in, with id, name and slug alone; after the permissions were checked, there is one."""
        return cast(Workspace, self.workspace_or_none)


class WorkspaceViewSet(WorkspaceView, ThrottledViewSet):
    """The same for a viewset; `permissions` are by action."""

    lookup_value_converter = "uuid"
    filter_backends = [DjangoFilterBackend, Ordering]

    def get_queryset(self) -> Any:
        """The rows of the workspace."""
        return super().get_queryset().filter(workspace=self.workspace_or_none)

    def get_object(self) -> Any:
        """The row that the path names. A list's filters do not hide it."""
        return one_of(self.get_queryset(), self.kwargs[self.lookup_field], by=self.lookup_field)


class WorkspaceModelViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    WorkspaceViewSet,
):
    """List, detail, create, change and delete of rows that need no service: their serializer knows what they may be."""

    def perform_create(self, serializer: Any) -> None:
        serializer.save(workspace=self.workspace)


def one_of(rows: QuerySet[Any], key: Any, *, by: str = "pk") -> Any:
    """The one of these rows that has the key. Raises `NotFound`."""
    row = rows.filter(**{by: key}).first()
    if row is None:
        raise exceptions.NotFound(f"There is no {rows.model._meta.verbose_name} {key} in this workspace.")
    return row


def model_permissions(model: str) -> dict[str, str]:
    """What the usual actions need, for `app.model`."""
    app, name = model.split(".")
    verbs = {"list": "view", "retrieve": "view", "create": "add", "partial_update": "change", "destroy": "delete"}
    return {action: f"{app}.{verb}_{name}" for action, verb in verbs.items()}


def _workspaces(request: Request) -> Workspaces:
    asked = request.headers.get(HEADER, "")
    chosen = request.session.get(SESSION_KEY, "") if request.auth is None else ""
    if asked == ALL:
        raise exceptions.NotFound(ONE_ONLY)
    try:
        return choose(cast(User, request.user), asked=asked, chosen="" if chosen == ALL else chosen)
    except WorkspaceRefused as refused:
        raise exceptions.NotFound(str(refused)) from refused

"""The workspaces that a person may work in, and what is set in the present one."""

from typing import Any

from django.db.models import Case, OuterRef, QuerySet, Subquery, Value, When
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.views import WorkspaceViewSet
from conversations.choices import Role
from conversations.choosing import choose
from conversations.models import Membership, Workspace
from conversations.models.configuration import CONFIGURATION
from convgen.tenancy import EVERY, workspace_scope
from generation.api.configured import ConfiguredSerializer

SHOWN = {
    "id": "01939a52-7f00-7cc2-9f6a-3f8f6b1f2a15",
    "slug": "starter",
    "name": "Kestrel Lane Financial Planning",
    "description": "Fee-only planners for households between paychecks and plans.",
    "training_system_prompt": "You are a planner at Kestrel Lane.",
    "model": "",
    "max_tokens": None,
    "effort": "low",
    "temperature": None,
    "top_p": None,
    "created_at": "2026-11-25T09:30:12Z",
}
LISTED = {
    "id": SHOWN["id"],
    "slug": "starter",
    "name": "Kestrel Lane Financial Planning",
    "role": "lead",
    "is_default": True,
}


class OpenWorkspaceSerializer(serializers.ModelSerializer[Any]):
    """A workspace that the person may work in."""

    role = serializers.ChoiceField(
        Role.choices, read_only=True, allow_null=True, help_text="Null: superusers may do all without one."
    )
    is_default = serializers.BooleanField(
        source="is_first", read_only=True, help_text="Where requests without the header X-Workspace work."
    )

    class Meta:
        model = Workspace
        fields = list(LISTED)
        read_only_fields = fields


class WorkspaceSerializer(ConfiguredSerializer):
    """A workspace, with how Claude is asked in it. What is left empty there is decided by the installation."""

    class Meta:
        model = Workspace
        fields = list(SHOWN)
        read_only_fields = ["slug", "created_at"]
        extra_kwargs = {"slug": {"help_text": "What the header X-Workspace names it by."}}


@extend_schema(tags=["Workspaces"])
@extend_schema_view(
    list=extend_schema(
        summary="List your workspaces", examples=[OpenApiExample("A lead's", value=LISTED, response_only=True)]
    ),
    retrieve=extend_schema(
        summary="Show the workspace that you work in",
        description="404 for any other: send its slug in the header X-Workspace.",
        examples=[OpenApiExample("The starter workspace", value=SHOWN, response_only=True)],
    ),
    partial_update=extend_schema(
        summary="Change the workspace that you work in",
        description="Its name, description, the system prompt of its training examples, and how Claude is asked where "
        "templates and batches do not say. What is left out stays.",
        examples=[
            OpenApiExample("Less thinking", value={"effort": "low"}, request_only=True),
            OpenApiExample("As changed", value=SHOWN, response_only=True),
        ],
    ),
)
class WorkspacesViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, WorkspaceViewSet):
    """The workspaces that you may work in, and what is set in the present one."""

    queryset = Workspace.objects.all()
    serializer_class = WorkspaceSerializer
    filter_backends = WorkspaceViewSet.filter_backends[1:]
    permissions = {
        "list": "conversations.view_workspace",
        "retrieve": "conversations.view_workspace",
        "partial_update": "conversations.change_workspace",
    }
    lookup_field = "slug"
    lookup_value_converter = "slug"
    orderings = {"name": "name"}
    ordering = "name"

    def get_serializer_class(self) -> type[Any]:
        return OpenWorkspaceSerializer if self.action == "list" else WorkspaceSerializer

    def get_queryset(self) -> QuerySet[Workspace]:
        return _open_to(self.person) if self.action == "list" else Workspace.objects.filter(pk=self.workspace.pk)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with workspace_scope(EVERY):  # all of hers, not the present one alone
            return super().list(request, *args, **kwargs)

    def get_object(self) -> Any:
        if self.kwargs["slug"] != self.workspace.slug:
            raise NotFound(f"You work in {self.workspace.slug}. Send the other one's slug in the header X-Workspace.")
        return super().get_object()


def _open_to(user: Any) -> QuerySet[Workspace]:
    choices = choose(user).choices
    role = Membership.objects.filter(workspace=OuterRef("pk"), user=user).values("role")[:1]
    first = Case(When(pk=choices[0].pk, then=Value(True)), default=Value(False))
    mine = Workspace.objects.filter(pk__in=[workspace.pk for workspace in choices])
    return mine.defer("description", "training_system_prompt", *CONFIGURATION).annotate(
        role=Subquery(role), is_first=first
    )

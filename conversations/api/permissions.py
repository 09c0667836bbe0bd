"""What a member may do by the API: what her role permits in the workspace, as in the pages."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from conversations.authentication import role_of

NO_WORKSPACE = "You are a member of no workspace. Ask a lead of one, or an administrator, to add you."


class RolePermission(BasePermission):
    """Each operation needs the permission that its view names; `conversations/roles.py` says which roles have it."""

    message: str | None = None

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        if view.workspace_or_none is None:
            self.message = NO_WORKSPACE
            return False
        needed = required(view, request.method or "")
        if needed is None or request.user.has_perm(needed):
            return True
        role = role_of(request.user)
        who = f"Your role in {view.workspace.name} ({role.value})" if role else f"Your account in {view.workspace.name}"
        self.message = f"{who} does not have the permission {needed}. Ask a lead of the workspace."
        return False


def required(view: Any, method: str) -> str | None:
    """The permission that an operation needs; None where DRF answers for itself (OPTIONS, a method that is not there).

    Raises KeyError for an operation whose view does not name one.
    """
    action = getattr(view, "action", method.lower())
    unknown = method.lower() not in view.http_method_names or not hasattr(view, action or "")
    if unknown or method == "OPTIONS" or action == "metadata":
        return None
    needed: str = view.permissions["get" if action == "head" else action]
    return needed

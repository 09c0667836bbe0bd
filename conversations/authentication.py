"""What a person may do, which depends on the workspace that she works in.

Beside Django's own permissions (a user's and her groups'), which count in every workspace of the person, those of her
membership's role count in that workspace alone.
"""

from typing import Any
from uuid import UUID

from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.contrib.auth.models import Permission

from conversations.choices import Role
from conversations.models import Membership
from convgen.tenancy import Scope, current_scope


def role_of(user: Any) -> Role | None:
    """As what a person works in the workspace at hand; None where there is not one, or she is no member of it."""
    scope = current_scope()
    if not isinstance(scope, UUID) or user.is_anonymous or not user.is_active:
        return None
    role = Membership.objects.filter(workspace_id=scope, user=user).values_list("role", flat=True).first()
    return Role(role) if role else None


class MembershipBackend(ModelBackend):
    """Django's own backend, to which the role in the workspace at hand is one more group."""

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """The user's, her groups' and her role's, in one query for each workspace that she works in.

        `ModelBackend` would ask three times, and keep those of one workspace for all.
        """
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        if user_obj.is_superuser:
            return BaseBackend.get_all_permissions(self, user_obj, obj)
        scope = current_scope()
        known: dict[Scope, set[str]] = user_obj.__dict__.setdefault("_permissions_in", {})
        if scope not in known:
            known[scope] = _permissions(user_obj, scope)
        return known[scope]


def _permissions(user: Any, scope: Scope) -> set[str]:
    ways = [Permission.objects.filter(user=user), Permission.objects.filter(group__user=user)]
    if isinstance(scope, UUID):
        roles = Membership.objects.filter(workspace_id=scope, user=user).values("role")
        ways.append(Permission.objects.filter(group__name__in=roles))
    first, *others = (way.order_by().values_list("content_type__app_label", "codename") for way in ways)
    return {f"{app}.{codename}" for app, codename in first.union(*others)}

"""What a person may do, which depends on the workspace that she works in.

Beside Django's own permissions (a user's and her groups'), which count in every workspace of the person, those of her
membership's role count in that workspace alone.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.contrib.auth.models import Permission

from conversations.choices import Role
from conversations.models import Membership
from convgen.tenancy import current_scope


@dataclass(frozen=True)
class Standing:
    """As what a person works in the workspace at hand, and what that permits (`app.codename`)."""

    role: Role | None = None
    permissions: frozenset[str] = frozenset()


def standing(user: Any) -> Standing:
    """Where there is not one workspace at hand, or the person is no member of it, she has no role."""
    scope = current_scope()
    if not isinstance(scope, UUID) or user.is_anonymous or not user.is_active:
        return Standing()
    known: dict[UUID, Standing] | None = getattr(user, "_standings", None)
    if known is None:
        known = user._standings = {}
    if scope not in known:
        known[scope] = _standing(user, scope)
    return known[scope]


def _standing(user: Any, workspace_id: UUID) -> Standing:
    membership = Membership.objects.filter(workspace_id=workspace_id, user=user).first()
    if membership is None:
        return Standing()
    granted = Permission.objects.filter(group__name=membership.role)
    names = granted.values_list("content_type__app_label", "codename").order_by()
    return Standing(Role(membership.role), frozenset(f"{app}.{codename}" for app, codename in names))


class MembershipBackend(ModelBackend):
    """Django's own backend, to which the role in the workspace at hand is one more group."""

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        groups = super().get_group_permissions(user_obj, obj)
        return groups if obj is not None else {*groups, *standing(user_obj).permissions}

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """The user's and her groups'. `ModelBackend` would keep those of one workspace for all."""
        return BaseBackend.get_all_permissions(self, user_obj, obj)

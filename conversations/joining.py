"""Staff join the default workspace, as curators: when they become staff, and when it becomes the default one.

Only then. Saving somebody again does not give back a membership that a lead took away, so what is stored is compared
before a row is saved. Rows that are written past `save()` (`QuerySet.update`) are not noticed.
"""

from typing import Any

from django.db.models.signals import post_save, pre_save
from django.dispatch import receiver

from conversations.choices import Role
from conversations.models import Membership, Workspace
from convgen.models import User
from convgen.tenancy import EVERY, workspace_scope


@receiver(pre_save, sender=User)
def notice_new_staff(instance: Any, raw: bool, update_fields: Any, **_signal: Any) -> None:
    instance._becomes_staff = not raw and _turns_on(instance, "is_staff", update_fields)


@receiver(post_save, sender=User)
def join_default_workspace(instance: Any, **_signal: Any) -> None:
    if not instance._becomes_staff:
        return
    with workspace_scope(EVERY):
        for workspace in Workspace.objects.filter(is_default=True):
            _join(workspace, [instance])


@receiver(pre_save, sender=Workspace)
def notice_new_default(instance: Any, raw: bool, update_fields: Any, **_signal: Any) -> None:
    instance._becomes_default = not raw and _turns_on(instance, "is_default", update_fields)


@receiver(post_save, sender=Workspace)
def take_in_staff(instance: Any, **_signal: Any) -> None:
    """Those who are members nowhere join a new default workspace."""
    if not instance._becomes_default:
        return
    with workspace_scope(EVERY):
        _join(instance, User.objects.filter(is_staff=True, memberships=None))


def _turns_on(row: Any, flag: str, update_fields: Any) -> bool:
    """Whether saving the row sets a flag that is not set in the database."""
    if not getattr(row, flag) or (update_fields is not None and flag not in update_fields):
        return False
    with workspace_scope(EVERY):
        return not type(row).objects.filter(pk=row.pk, **{flag: True}).exists()


def _join(workspace: Workspace, people: Any) -> None:
    rows = [Membership(workspace=workspace, user=person, role=Role.CURATOR.value) for person in people]
    Membership.objects.bulk_create(rows, ignore_conflicts=True)

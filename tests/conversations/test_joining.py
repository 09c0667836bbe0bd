"""Staff join the default workspace."""

import pytest

from conversations.models import Membership, Workspace
from convgen.models import User
from convgen.tenancy import NOTHING, workspace_scope
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db


def members(workspace: Workspace) -> dict[str, str]:
    rows = Membership.objects.filter(workspace=workspace)
    return dict(rows.values_list("user__username", "role"))


@pytest.fixture
def default() -> Workspace:
    return WorkspaceFactory(is_default=True)


def test_new_staff_join_as_curators_from_any_scope(default: Workspace) -> None:
    with workspace_scope(NOTHING):
        UserFactory(username="mona", is_staff=True)
    assert members(default) == {"mona": "curator"}


def test_who_becomes_staff_joins(default: Workspace) -> None:
    mona = UserFactory(username="mona")
    assert members(default) == {}
    mona.is_staff = True
    mona.save()
    assert members(default) == {"mona": "curator"}


def test_saving_a_member_again_changes_nothing(default: Workspace) -> None:
    mona = UserFactory(username="mona", is_staff=True)
    Membership.objects.update(role="lead")
    mona.save()
    assert members(default) == {"mona": "lead"}


def test_who_was_removed_does_not_come_back_by_signing_in_or_a_new_name(default: Workspace) -> None:
    mona = UserFactory(username="mona", is_staff=True)
    Membership.objects.all().delete()
    mona.save(update_fields=["last_login"])
    mona.first_name = "Mona"
    mona.save()
    assert members(default) == {}


def test_staff_join_no_workspace_but_the_default_one() -> None:
    workspace = WorkspaceFactory()
    UserFactory(is_staff=True)
    assert members(workspace) == {}


def test_the_first_default_workspace_takes_in_staff_who_are_members_nowhere() -> None:
    UserFactory(username="mona", is_staff=True)
    UserFactory(username="visitor")
    MembershipFactory(user=UserFactory(username="elsewhere", is_staff=True))
    assert members(WorkspaceFactory(is_default=True)) == {"mona": "curator"}


def test_a_workspace_that_becomes_the_default_one_takes_them_in_too() -> None:
    UserFactory(username="mona", is_staff=True)
    workspace = WorkspaceFactory()
    workspace.is_default = True
    workspace.save()
    assert members(workspace) == {"mona": "curator"}


def test_saving_the_default_workspace_again_takes_nobody_in(default: Workspace) -> None:
    UserFactory(is_staff=True)
    Membership.objects.all().delete()
    default.description = "A new one."
    default.save()
    assert members(default) == {}


def test_a_superuser_that_a_command_makes_joins_too(default: Workspace) -> None:
    User.objects.create_superuser("admin", password="a long enough password")
    assert members(default) == {"admin": "curator"}

"""What each role may do, where, and who gives roles."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client

from batches.models import BatchJob
from conversations.choices import Role
from conversations.models import Conversation, Dimension, Export, Membership, Workspace
from conversations.roles import PERMISSIONS, make_groups
from convgen.models import User
from convgen.tenancy import workspace_scope
from generation.models import GenerationLog
from tests.admin_pages import add_to, browser_of, filled_in, list_of, member, page_of, permissions
from tests.factories import ConversationFactory, DimensionFactory, MembershipFactory, UserFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db


def person(workspace: Workspace, role: str) -> User:
    """Somebody as a new request meets her."""
    membership = MembershipFactory(workspace=workspace, user__is_staff=True, role=role)
    return User.objects.get(pk=membership.user_id)


# --- What each role may do

CURATOR, REVIEWER, LEAD, OPERATOR = Role
EVERYBODY = set(Role)

MATRIX = {
    "conversations.view_workspace": EVERYBODY,
    "conversations.view_membership": EVERYBODY,
    "conversations.view_conversation": EVERYBODY,
    "conversations.view_export": EVERYBODY,
    "generation.view_generationlog": EVERYBODY,
    "batches.view_batchjob": EVERYBODY,
    "batches.view_batchitem": EVERYBODY,
    "conversations.add_dimension": {CURATOR, REVIEWER, LEAD},
    "conversations.change_prompttemplate": {CURATOR, REVIEWER, LEAD},
    "conversations.add_document": {CURATOR, REVIEWER, LEAD},
    "conversations.change_chunk": {CURATOR, REVIEWER, LEAD},
    "conversations.add_conversation": {CURATOR, REVIEWER, LEAD},
    "conversations.change_conversation": {CURATOR, REVIEWER, LEAD},
    "batches.add_batchjob": {CURATOR, REVIEWER, LEAD},
    "batches.change_batchjob": EVERYBODY,
    "conversations.review_conversation": {REVIEWER, LEAD},
    "conversations.delete_conversation": {LEAD},
    "conversations.delete_prompttemplate": {LEAD},
    "conversations.delete_document": {LEAD},
    "conversations.delete_chunk": {LEAD},
    "conversations.delete_dimension": {LEAD},
    "batches.delete_batchjob": {LEAD},
    "conversations.add_export": {LEAD, OPERATOR},
    "conversations.change_workspace": {LEAD},
    "conversations.add_membership": {LEAD},
    "conversations.change_membership": {LEAD},
    "conversations.delete_membership": {LEAD},
    "convgen.view_user": {LEAD},
    "convgen.change_user": set(),
    "conversations.add_workspace": set(),
    "conversations.delete_workspace": set(),
    "conversations.delete_export": set(),
    "generation.delete_generationlog": set(),
    "auth.change_group": set(),
    "django_q.view_ormq": set(),
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", MATRIX)
def test_a_role_may_do_this_and_not_that(workspace: Workspace, role: Role, permission: str) -> None:
    with workspace_scope(workspace.pk):
        assert person(workspace, role).has_perm(permission) == (role in MATRIX[permission])


def test_a_lead_may_do_what_any_other_role_may() -> None:
    assert PERMISSIONS[CURATOR] < PERMISSIONS[REVIEWER] < PERMISSIONS[LEAD]
    assert PERMISSIONS[OPERATOR] < PERMISSIONS[LEAD]


def test_every_permission_of_a_role_exists() -> None:
    names = Permission.objects.values_list("content_type__app_label", "codename")
    assert PERMISSIONS[LEAD] <= {f"{app}.{codename}" for app, codename in names}


DONE, REFUSED = 302, 403


@pytest.mark.parametrize(
    ("role", "adding", "deleting", "generates"),
    [
        ("curator", DONE, REFUSED, True),
        ("reviewer", DONE, REFUSED, True),
        ("lead", DONE, DONE, True),
        ("operator", REFUSED, REFUSED, False),
    ],
)
def test_the_pages_hold_to_it(workspace: Workspace, role: str, adding: int, deleting: int, generates: bool) -> None:
    row = DimensionFactory(workspace=workspace)
    ConversationFactory(workspace=workspace)
    client = member(workspace, role)
    for model in (Conversation, BatchJob, GenerationLog, Export, Membership):
        assert client.get(list_of(model)).status_code == 200
    values = {"kind": "persona", "name": "Nurse", "attributes": "{}", "position": 0, "active": "on"}
    assert client.post(add_to(Dimension), values).status_code == adding
    assert client.post(page_of(row, "delete"), {"post": "yes"}).status_code == deleting
    assert ('value="generate_selected"' in client.get(list_of(Conversation)).content.decode()) is generates


# --- Where


def test_a_role_counts_in_its_own_workspace_alone(workspace: Workspace) -> None:
    other = WorkspaceFactory()
    user = person(workspace, "lead")
    MembershipFactory(workspace=other, user=user, role="curator")
    for scope, may in ((workspace, True), (other, False), (workspace, True), (WorkspaceFactory(), False)):
        with workspace_scope(scope.pk):
            assert user.has_perm("conversations.delete_dimension") is may


def test_outside_of_one_workspace_there_are_no_roles(workspace: Workspace) -> None:
    assert not person(workspace, "lead").has_perm("conversations.view_dimension")


def test_a_permission_of_ones_own_counts_in_every_workspace(workspace: Workspace) -> None:
    user = person(workspace, "curator")
    user.user_permissions.set(permissions("delete_chunk"))
    group = Group.objects.create(name="archivists")
    group.permissions.set(permissions("delete_document"))
    user.groups.add(group)
    for scope in (workspace, WorkspaceFactory()):
        with workspace_scope(scope.pk):
            assert user.has_perms(["conversations.delete_chunk", "conversations.delete_document"])
            assert not user.has_perm("conversations.delete_dimension")


def test_who_is_inactive_may_do_nothing_and_a_superuser_all(workspace: Workspace) -> None:
    user = person(workspace, "lead")
    with workspace_scope(workspace.pk):
        user.is_active = False
        assert not user.has_perm("conversations.view_dimension")
        assert UserFactory(is_superuser=True).has_perm("conversations.delete_workspace")


def test_a_role_is_no_permission_for_a_single_row(workspace: Workspace) -> None:
    row = DimensionFactory(workspace=workspace)
    with workspace_scope(workspace.pk):
        assert not person(workspace, "lead").has_perm("conversations.view_dimension", row)


# --- The groups


def test_migrate_brings_the_groups_back_to_what_is_written(workspace: Workspace) -> None:
    Group.objects.get(name="lead").delete()
    Group.objects.get(name="curator").permissions.set(permissions("delete_workspace"))
    call_command("migrate", verbosity=0)
    for role in Role:
        names = Group.objects.get(name=role).permissions.values_list("content_type__app_label", "codename")
        assert {f"{app}.{codename}" for app, codename in names} == PERMISSIONS[role]


def test_the_groups_are_made_when_there_are_no_permissions_yet() -> None:
    Permission.objects.all().delete()
    make_groups()
    assert Group.objects.get(name="operator").permissions.count() == len(PERMISSIONS[OPERATOR])


# --- Who gives roles


def add_member(client: Client, workspace: Workspace, user: User, role: str) -> Any:
    url = page_of(workspace)
    row = Membership.objects.filter(workspace=workspace).count()
    new = {"memberships-TOTAL_FORMS": row + 1, f"memberships-{row}-user": user.pk, f"memberships-{row}-role": role}
    return client.post(url, filled_in(client, url, **new))


@pytest.mark.parametrize("role", Role)
def test_a_lead_adds_a_member_of_any_role(workspace: Workspace, role: str) -> None:
    user = UserFactory()
    assert add_member(member(workspace, "lead"), workspace, user, role).status_code == 302
    assert user.memberships.get().role == role


def test_a_lead_changes_and_takes_away_a_role(workspace: Workspace) -> None:
    membership = MembershipFactory(workspace=workspace)
    client, url = member(workspace, "lead"), page_of(membership)
    assert client.post(url, filled_in(client, url, role="reviewer")).status_code == 302
    membership.refresh_from_db()
    assert membership.role == "reviewer"
    assert client.post(page_of(membership, "delete"), {"post": "yes"}).status_code == 302
    assert not Membership.objects.filter(pk=membership.pk).exists()


@pytest.mark.parametrize("role", ["curator", "reviewer", "operator"])
def test_nobody_below_a_lead_gives_roles_whatever_else_she_may(workspace: Workspace, role: str) -> None:
    user = person(workspace, role)
    every = [f"{verb}_membership" for verb in ("add", "change", "delete")]
    user.user_permissions.set(permissions(*every, "change_workspace"))
    client, own = browser_of(user), user.memberships.get()
    assert client.post(page_of(own), {"user": user.pk, "role": "lead"}).status_code == 403
    assert client.post(page_of(own, "delete"), {"post": "yes"}).status_code == 403
    assert client.post(add_to(Membership), {"user": UserFactory().pk, "role": "lead"}).status_code == 403
    inline = {"memberships-0-id": own.pk, "memberships-0-user": user.pk, "memberships-0-role": "lead"}
    client.post(page_of(workspace), filled_in(client, page_of(workspace), **inline))
    client.post(list_of(Membership), {"action": "delete_selected", "_selected_action": [own.pk], "post": "yes"})
    assert list(Membership.objects.values_list("user", "role")) == [(user.pk, role)]


def test_a_lead_gives_no_roles_in_another_workspace(workspace: Workspace) -> None:
    theirs = MembershipFactory(role="lead")
    client = member(workspace, "lead")
    assert client.post(page_of(theirs), {"user": theirs.user_id, "role": "curator"}).status_code == 302
    client.post(add_to(Membership), {"workspace": theirs.workspace_id, "user": UserFactory().pk, "role": "lead"})
    assert list(Membership.objects.filter(workspace=theirs.workspace).values_list("role", flat=True)) == ["lead"]


# --- Accounts and workspaces


def found(client: Client, term: str) -> Any:
    asked = {"app_label": "conversations", "model_name": "membership", "field_name": "user", "term": term}
    return client.get("/admin/autocomplete/", asked)


def test_a_lead_finds_a_new_member_by_her_user_name_and_learns_no_more(workspace: Workspace) -> None:
    mona = UserFactory(username="mona", first_name="Mona", last_name="Lund", email="m.lund@practice.example")
    client = member(workspace, "lead")
    assert found(client, "mon").json()["results"] == [{"id": str(mona.pk), "text": "mona"}]
    for term in ("Lund", "practice.example"):
        assert found(client, term).json()["results"] == []


@pytest.mark.parametrize("role", ["curator", "reviewer", "operator"])
def test_nobody_below_a_lead_looks_for_users(workspace: Workspace, role: str) -> None:
    assert found(member(workspace, role), "mon").status_code == 403


@pytest.mark.parametrize("extra", [[], ["view_user", "add_user", "change_user", "delete_user"]])
def test_nobody_but_a_superuser_manages_accounts(workspace: Workspace, admin_client: Client, extra: list[str]) -> None:
    user = person(workspace, "lead")
    user.user_permissions.set(permissions(*extra))
    client = browser_of(user)
    for page in (list_of(User), add_to(User), page_of(user), page_of(user, "delete"), page_of(user, "history")):
        assert client.get(page).status_code == 403
        assert admin_client.get(page).status_code == 200
    assert client.post(page_of(user), {"is_superuser": "on"}).status_code == 403
    assert client.get(f"/admin/convgen/user/{user.pk}/password/").status_code == 403


def test_a_lead_keeps_her_workspace_but_not_what_the_installation_goes_by(workspace: Workspace) -> None:
    client, url = member(workspace, "lead"), page_of(workspace)
    changes = {"name": "Renamed", "slug": "other", "is_default": "on"}
    assert client.post(url, filled_in(client, url, **changes)).status_code == 302
    before, slug = workspace, workspace.slug
    before.refresh_from_db()
    assert (before.name, before.slug, before.is_default) == ("Renamed", slug, False)
    assert client.get(add_to(Workspace)).status_code == 403
    assert client.post(page_of(workspace, "delete"), {"post": "yes"}).status_code == 403


def test_a_superuser_adds_a_workspace_and_goes_on_in_it(workspace: Workspace) -> None:
    client = browser_of(UserFactory(is_staff=True, is_superuser=True))
    assert client.post(add_to(Workspace), {"name": "New", "slug": "new"}).status_code == 302
    new = Workspace.objects.get(slug="new")
    assert client.get(page_of(new)).status_code == 200
    assert client.get("/admin/").wsgi_request.workspaces.current == new


@pytest.mark.parametrize("page", ["add", "change"])
def test_a_slug_of_a_workspace_out_of_sight_is_refused_on_the_form(workspace: Workspace, page: str) -> None:
    WorkspaceFactory(name="Zeta", slug="zeta", is_default=False)
    client = browser_of(UserFactory(is_staff=True, is_superuser=True))
    url = add_to(Workspace) if page == "add" else page_of(workspace)
    refused = client.post(url, filled_in(client, url, name="Other", slug="zeta"))
    assert refused.context["adminform"].form.errors == {"slug": ["Workspace with this Slug already exists."]}


def test_a_second_default_workspace_is_refused_on_the_form(workspace: Workspace) -> None:
    WorkspaceFactory(is_default=True)
    client = browser_of(UserFactory(is_staff=True, is_superuser=True), **{"X-Workspace": workspace.slug})
    refused = client.post(page_of(workspace), filled_in(client, page_of(workspace), is_default="on"))
    assert "Another workspace is the default one." in refused.content.decode()


def test_a_workspace_is_deleted_with_its_rows_by_a_superuser(workspace: Workspace, admin_client: Client) -> None:
    DimensionFactory(workspace=workspace)
    kept = DimensionFactory()
    assert admin_client.post(page_of(workspace, "delete"), {"post": "yes"}).status_code == 302
    assert list(Dimension.objects.all()) == [kept]

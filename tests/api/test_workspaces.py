from typing import Any

from conversations.choices import Role
from conversations.models import Workspace
from convgen.models import User
from tests.api_client import Api, api_of, problems, told
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory


def test_a_person_finds_her_workspaces_and_her_role_in_each(elsewhere: Workspace) -> None:
    user: User = UserFactory()
    for name, role in (("Brook", Role.LEAD), ("Acre", Role.CURATOR)):
        MembershipFactory(user=user, workspace=WorkspaceFactory(name=name, slug=name.lower()), role=role)
    listed = api_of(user).get("workspaces/").json()
    told_of = [(each["slug"], each["name"], each["role"], each["is_default"]) for each in listed["results"]]
    assert told_of == [("acre", "Acre", "curator", True), ("brook", "Brook", "lead", False)]
    assert listed["next"] is None
    last = api_of(user).get("workspaces/", {"ordering": "-name", "page_size": 1}).json()
    assert [each["slug"] for each in last["results"]] == ["brook"]


def test_a_superuser_has_all_of_them_without_a_role(elsewhere: Workspace, workspace: Workspace) -> None:
    listed = api_of(UserFactory(is_superuser=True)).get("workspaces/").json()["results"]
    assert {each["slug"]: each["role"] for each in listed} == {elsewhere.slug: None, workspace.slug: None}


def test_a_lead_changes_what_is_set_in_her_workspace(lead: Api, workspace: Workspace) -> None:
    path = f"workspaces/{workspace.slug}/"
    sent = {"name": "Kestrel Lane", "training_system_prompt": "You are a planner.", "effort": "low"}
    assert problems(lead.patch(path, {"is_default": True}), 400) == {"is_default": "unknown"}
    changed = lead.patch(path, {**sent, "slug": "mine"})
    assert changed.status_code == 200
    assert lead.get(path).json() == {**changed.json(), **sent, "slug": workspace.slug}
    workspace.refresh_from_db()
    assert workspace.name == "Kestrel Lane"
    assert problems(lead.patch(path, {"is_default": True}), 400) == {"is_default": "unknown"}


def test_what_claude_would_not_take_is_told_by_field(lead: Api, workspace: Workspace) -> None:
    path = f"workspaces/{workspace.slug}/"
    refused = lead.patch(path, {"temperature": 0.5})
    assert problems(refused, 400) == {"temperature": "invalid"}
    assert "only older models" in told(refused)
    assert problems(lead.patch(path, {"name": "", "top_p": 1.5, "max_tokens": 0}), 400) == {
        "name": "blank",
        "top_p": "max_value",
        "max_tokens": "min_value",
    }
    older = lead.patch(path, {"model": "claude-sonnet-4-6", "temperature": 0.5})
    assert older.json()["temperature"] == 0.5


def test_others_look_but_do_not_change_it(curator: Api, workspace: Workspace) -> None:
    path = f"workspaces/{workspace.slug}/"
    assert curator.get(path).json()["name"] == workspace.name
    assert problems(curator.patch(path, {"name": "Mine"}), 403) == {None: "permission_denied"}


def test_another_workspace_is_reached_by_the_header_alone(lead: Api, elsewhere: Workspace) -> None:
    path = f"workspaces/{elsewhere.slug}/"
    for response in (lead.get(path), lead.patch(path, {"name": "Mine"})):
        assert problems(response, 404) == {None: "not_found"}
        assert "X-Workspace" in told(response)


def test_a_list_takes_as_many_queries_however_long_it_is(db: None, django_assert_max_num_queries: Any) -> None:
    user: User = UserFactory()
    for _number in range(20):
        MembershipFactory(user=user, role=Role.CURATOR)
    api = api_of(user)
    with django_assert_max_num_queries(14):
        assert len(api.get("workspaces/").json()["results"]) == 20

from types import SimpleNamespace

from conversations.api.dimensions import DimensionSerializer
from conversations.models import Dimension, TemplateApplicability, Workspace
from tests.api_client import Api, problems, told
from tests.factories import DimensionFactory, PromptTemplateFactory

NEW = {"kind": "persona", "name": "Anxious planner", "description": "Plans, and worries."}


def test_dimensions_are_listed_by_position_and_filtered(curator: Api, workspace: Workspace) -> None:
    for position, (kind, name) in enumerate([("persona", "B"), ("persona", "A"), ("topic", "C")]):
        DimensionFactory(workspace=workspace, kind=kind, name=name, position=position)
    assert [each["name"] for each in curator.get("dimensions/").json()["results"]] == ["B", "A", "C"]
    answer = curator.get("dimensions/", {"kind": "persona", "ordering": "name"}).json()
    assert [each["name"] for each in answer["results"]] == ["A", "B"]


def test_a_dimension_is_created_changed_and_deleted(lead: Api, workspace: Workspace) -> None:
    created = lead.post("dimensions/", NEW)
    assert created.status_code == 201
    path = f"dimensions/{created.json()['id']}/"
    assert lead.patch(path, {"name": "Planner"}).json()["name"] == "Planner"
    assert Dimension.objects.get().workspace == workspace
    assert lead.delete(path).status_code == 204
    assert not Dimension.objects.exists()


def test_what_is_wrong_is_told_by_field(curator: Api) -> None:
    assert problems(curator.post("dimensions/", {**NEW, "kind": "mood", "name": ""}), 400) == {
        "kind": "invalid_choice",
        "name": "blank",
    }
    assert problems(curator.get("dimensions/", {"kind": "mood"}), 400) == {"kind": "invalid_choice"}


def test_a_name_means_one_dimension_of_a_kind(curator: Api) -> None:
    assert curator.post("dimensions/", NEW).status_code == 201
    again = curator.post("dimensions/", NEW)
    assert problems(again, 400) == {"non_field_errors": "unique_together"}
    assert "already exists" in told(again)


def test_the_kind_of_a_dimension_stays(curator: Api, workspace: Workspace) -> None:
    dimension = DimensionFactory(workspace=workspace)
    refused = curator.patch(f"dimensions/{dimension.pk}/", {"kind": "topic", "name": "Another"})
    assert problems(refused, 400) == {"kind": "kept"}
    assert curator.patch(f"dimensions/{dimension.pk}/", {"kind": "persona", "name": "Another"}).status_code == 200


def test_a_dimension_is_sent_back_as_it_came_with_what_is_changed_in_it(curator: Api, workspace: Workspace) -> None:
    path = f"dimensions/{DimensionFactory(workspace=workspace).pk}/"
    changed = {**curator.get(path).json(), "id": "01939a52-7f00-7cc2-9f6a-3f8f6b1f2a10", "name": "Planner"}
    assert curator.patch(path, changed).json() == {**changed, "id": path.split("/")[1]}
    assert problems(curator.patch(path, {"nam": "Saver"}), 400) == {"nam": "unknown"}


def test_a_dimension_is_not_replaced_whole(lead: Api, workspace: Workspace) -> None:
    path = f"dimensions/{DimensionFactory(workspace=workspace).pk}/"
    assert problems(lead.put(path, NEW), 405) == {None: "method_not_allowed"}


def test_what_others_change_at_the_same_moment_is_not_put_back(curator: Api, workspace: Workspace) -> None:
    dimension = DimensionFactory(workspace=workspace, description="As it was read.")
    view = SimpleNamespace(workspace=workspace)
    mine = DimensionSerializer(dimension, data={"active": False}, partial=True, context={"view": view})
    mine.is_valid(raise_exception=True)
    curator.patch(f"dimensions/{dimension.pk}/", {"description": "Theirs."})
    mine.save()
    dimension.refresh_from_db()
    assert (dimension.active, dimension.description) == (False, "Theirs.")


def test_a_role_that_may_not_is_refused(operator: Api, curator: Api, workspace: Workspace) -> None:
    refused = operator.post("dimensions/", NEW)
    assert problems(refused, 403) == {None: "permission_denied"}
    assert "conversations.add_dimension" in told(refused)
    dimension = DimensionFactory(workspace=workspace)
    assert problems(curator.delete(f"dimensions/{dimension.pk}/"), 403) == {None: "permission_denied"}


def test_what_is_in_another_workspace_is_not_found(lead: Api, elsewhere: Workspace) -> None:
    path = f"dimensions/{DimensionFactory(workspace=elsewhere).pk}/"
    for response in (lead.get(path), lead.patch(path, {"name": "Mine"}), lead.delete(path)):
        assert problems(response, 404) == {None: "not_found"}


def test_dimensions_are_searched_in_name_and_description(curator: Api, workspace: Workspace) -> None:
    DimensionFactory(workspace=workspace, name="Anxious planner")
    DimensionFactory(workspace=workspace, name="Saver", description="Never ANXIOUS.")
    DimensionFactory(workspace=workspace, name="Spender")
    found = curator.get("dimensions/", {"search": "anxious", "ordering": "name"}).json()["results"]
    assert [each["name"] for each in found] == ["Anxious planner", "Saver"]


def test_attributes_are_an_object_that_can_be_stored(curator: Api) -> None:
    stored = curator.post("dimensions/", {**NEW, "attributes": {"a\x00ge": 41}})
    assert stored.json()["attributes"] == {"age": 41}
    assert problems(curator.post("dimensions/", {**NEW, "attributes": [41]}), 400) == {"attributes": "no_object"}
    assert problems(curator.post("dimensions/", {**NEW, "attributes": None}), 400) == {"attributes": "null"}


def test_a_dimension_that_templates_are_meant_for_is_not_deleted(lead: Api, workspace: Workspace) -> None:
    dimension = DimensionFactory(workspace=workspace)
    template = PromptTemplateFactory(workspace=workspace, name="Grief")
    meant = TemplateApplicability.objects.create(workspace=workspace, template=template, dimension=dimension)
    refused = lead.delete(f"dimensions/{dimension.pk}/")
    assert problems(refused, 409) == {None: "conflict"}
    assert told(refused).startswith("Templates are meant for this persona: Grief. Take it out of them first")
    meant.delete()
    assert lead.delete(f"dimensions/{dimension.pk}/").status_code == 204

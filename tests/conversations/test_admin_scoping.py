"""The pages of the admin show, offer and change rows of the workspace at hand alone."""

from typing import Any

import pytest
from django.db.models import Model
from django.test import Client

from batches.models import BatchItem, BatchJob
from conversations.models import (
    Chunk,
    Conversation,
    Dimension,
    Document,
    Export,
    Membership,
    PromptTemplate,
    Workspace,
)
from generation.models import GenerationLog
from tests.admin_pages import (
    add_to,
    browser_of,
    filled_in,
    list_of,
    listed,
    member,
    outsider,
    page_of,
    permissions,
    queries_of,
    run,
)
from tests.factories import (
    BatchItemFactory,
    BatchJobFactory,
    ChunkFactory,
    ConversationFactory,
    DimensionFactory,
    DocumentFactory,
    ExportFactory,
    GenerationLogFactory,
    MembershipFactory,
    PromptTemplateFactory,
    UserFactory,
    WorkspaceFactory,
)

pytestmark = pytest.mark.django_db

FACTORIES: dict[type[Model], Any] = {
    Membership: MembershipFactory,
    Dimension: DimensionFactory,
    Document: DocumentFactory,
    PromptTemplate: PromptTemplateFactory,
    Conversation: ConversationFactory,
    Export: ExportFactory,
    BatchJob: BatchJobFactory,
}


def made(model: type[Model], workspace: Workspace) -> Any:
    match model.__name__:
        case "Chunk":
            return ChunkFactory(document__workspace=workspace)
        case "GenerationLog":
            return GenerationLogFactory(conversation__workspace=workspace)
        case "BatchItem":
            return BatchItemFactory(job__workspace=workspace)
    return FACTORIES[model](workspace=workspace)


@pytest.fixture
def ours() -> Workspace:
    return WorkspaceFactory(name="Ours")


@pytest.fixture
def theirs() -> Workspace:
    return WorkspaceFactory(name="Theirs")


@pytest.mark.parametrize("model", [*FACTORIES, Chunk, GenerationLog, BatchItem])
def test_lists_and_pages_show_the_rows_of_ones_own_workspace(
    model: type[Model], ours: Workspace, theirs: Workspace, admin_client: Client
) -> None:
    own, foreign = made(model, ours), made(model, theirs)
    client = member(ours, "lead")
    seen = listed(client, model)
    assert own.pk in seen
    assert foreign.pk not in seen
    assert client.get(page_of(own)).status_code == 200
    for page in ("change", "history"):
        assert client.get(page_of(foreign, page)).status_code in (302, 404)
    assert client.post(page_of(foreign, "delete"), {"post": "yes"}).status_code in (302, 403, 404)
    assert model._default_manager.filter(pk=foreign.pk).exists()
    assert {own.pk, foreign.pk} <= listed(admin_client, model)


def test_a_member_of_two_workspaces_sees_one_at_a_time(ours: Workspace, theirs: Workspace) -> None:
    own, other = DimensionFactory(workspace=ours), DimensionFactory(workspace=theirs)
    membership = MembershipFactory(workspace=ours, user__is_staff=True)
    MembershipFactory(workspace=theirs, user=membership.user)
    client = browser_of(membership.user)
    assert listed(client, Dimension) == {own.pk}
    client.post("/workspace/choose/", {"workspace": theirs.slug})
    assert listed(client, Dimension) == {other.pk}


def test_the_list_of_workspaces_shows_the_one_at_hand(ours: Workspace, theirs: Workspace) -> None:
    client = member(ours, "lead")
    assert listed(client, Workspace) == {ours.pk}
    assert client.get(page_of(theirs)).status_code == 302


def test_lists_ask_for_the_workspace_beside_the_policy(ours: Workspace) -> None:
    """A policy alone finds no index."""
    client = member(ours)
    asked = [query for query in queries_of(client, list_of(Dimension)) if 'FROM "conversations_dimension"' in query]
    assert asked
    assert all(f"= '{ours.pk.hex}'" in query for query in asked)


def test_an_action_does_not_reach_rows_of_other_workspaces(ours: Workspace, theirs: Workspace) -> None:
    own = ConversationFactory(workspace=ours, status="generated")
    foreign = ConversationFactory(workspace=theirs, status="generated")
    run(member(ours, "reviewer"), "approve", [own, foreign])
    own.refresh_from_db()
    foreign.refresh_from_db()
    assert (own.status, foreign.status) == ("approved", "generated")


def test_filters_offer_what_one_may_see(ours: Workspace, theirs: Workspace) -> None:
    for workspace in (ours, theirs):
        ConversationFactory(workspace=workspace, template__name=f"Template of {workspace}")
        ChunkFactory(document__workspace=workspace, document__title=f"Guide of {workspace}")
        DimensionFactory(workspace=workspace, name=f"Persona of {workspace}")
        BatchJobFactory(workspace=workspace, name=f"Batch of {workspace}")
        GenerationLogFactory(conversation__workspace=workspace, model=f"model of {workspace}")
    ConversationFactory(workspace=ours)
    client = member(ours)
    for model in (Conversation, Chunk, GenerationLog):
        shown = client.get(list_of(model)).content.decode()
        assert "of Ours" in shown
        assert "of Theirs" not in shown


def test_choices_are_those_of_ones_own_workspace(ours: Workspace, theirs: Workspace) -> None:
    for workspace in (ours, theirs):
        DimensionFactory(workspace=workspace, name=f"Persona of {workspace}")
        DocumentFactory(workspace=workspace, title=f"Guide of {workspace}")
    client = member(ours)
    shown = client.get(add_to(PromptTemplate)).content.decode()
    assert "Persona of Ours" in shown
    assert "Persona of Theirs" not in shown
    asked = {"app_label": "conversations", "model_name": "chunk", "field_name": "document"}
    offered = client.get("/admin/autocomplete/", asked).json()["results"]
    assert [choice["text"] for choice in offered] == ["Guide of Ours"]


def test_a_foreign_document_is_refused_although_its_key_is_known(ours: Workspace, theirs: Workspace) -> None:
    foreign = DocumentFactory(workspace=theirs)
    data = {"document": foreign.pk, "position": 1, "text": "Mine?", "dimensions": "{}"}
    response = member(ours).post(add_to(Chunk), data)
    assert response.status_code == 200
    assert "document" in response.context["adminform"].form.errors
    assert not Chunk.objects.exists()


def test_the_history_of_a_foreign_template_stays_closed(ours: Workspace, theirs: Workspace) -> None:
    own, foreign = PromptTemplateFactory(workspace=ours), PromptTemplateFactory(workspace=theirs)
    client = member(ours)
    for template, status in ((own, 200), (foreign, 404)):
        history = page_of(template, "history")
        assert client.get(history).status_code == status
        assert client.get(f"{history}{template.history.get().history_id}/").status_code == status


# --- The workspace of a new row


def dimension(**values: Any) -> dict[str, Any]:
    return {"kind": "persona", "name": "Nurse", "attributes": "{}", "position": 0, "active": "on", **values}


def test_a_new_row_belongs_to_the_workspace_at_hand(ours: Workspace, theirs: Workspace) -> None:
    client = member(ours)
    assert 'type="hidden" name="workspace"' in client.get(add_to(Dimension)).content.decode()
    assert client.post(add_to(Dimension), dimension()).status_code == 302
    assert Dimension.objects.get().workspace == ours


def test_a_page_that_was_opened_in_another_workspace_is_not_saved_in_this_one(
    ours: Workspace, theirs: Workspace
) -> None:
    membership = MembershipFactory(workspace=ours, user__is_staff=True)
    MembershipFactory(workspace=theirs, user=membership.user)
    client = browser_of(membership.user)
    opened = filled_in(client, add_to(Dimension), name="Nurse")
    client.post("/workspace/choose/", {"workspace": theirs.slug})
    refused = client.post(add_to(Dimension), opened)
    assert "You have switched to another workspace" in refused.content.decode()
    assert not Dimension.objects.exists()


def test_who_looks_at_all_workspaces_chooses_one_and_else_gets_the_first(
    ours: Workspace, theirs: Workspace, admin_client: Client
) -> None:
    assert '<select name="workspace"' in admin_client.get(add_to(Dimension)).content.decode()
    admin_client.post(add_to(Dimension), dimension(name="Chosen", workspace=theirs.pk))
    admin_client.post(add_to(Dimension), dimension(name="Not chosen"))
    assert Dimension.objects.get(name="Chosen").workspace == theirs
    assert Dimension.objects.get(name="Not chosen").workspace == ours


def test_a_row_never_moves_to_another_workspace(ours: Workspace, theirs: Workspace, admin_client: Client) -> None:
    row = DimensionFactory(workspace=ours)
    saved = admin_client.post(page_of(row), filled_in(admin_client, page_of(row), workspace=theirs.pk, name="Renamed"))
    assert saved.status_code == 302
    row.refresh_from_db()
    assert (row.workspace, row.name) == (ours, "Renamed")


def test_a_name_taken_in_the_workspace_is_refused_on_the_form(ours: Workspace, theirs: Workspace) -> None:
    DimensionFactory(workspace=ours, name="Nurse")
    DimensionFactory(workspace=theirs, name="Teacher")
    client = member(ours)
    refused = client.post(add_to(Dimension), dimension(name="Nurse"))
    assert refused.status_code == 200
    assert "already exists" in refused.content.decode()
    assert client.post(add_to(Dimension), dimension(name="Teacher")).status_code == 302


# --- One, several, none


def test_the_workspace_is_a_column_only_for_those_who_look_at_several(ours: Workspace, admin_client: Client) -> None:
    DimensionFactory(workspace=ours)
    assert "column-workspace" not in admin_client.get(list_of(Dimension)).content.decode()
    WorkspaceFactory()
    assert "column-workspace" in admin_client.get(list_of(Dimension)).content.decode()
    assert "column-workspace" not in member(ours).get(list_of(Dimension)).content.decode()


def test_staff_without_a_workspace_see_nothing_and_add_nothing_whatever_they_may(ours: Workspace) -> None:
    DimensionFactory(workspace=ours)
    user = UserFactory(is_staff=True)
    user.user_permissions.set(permissions("add_dimension", "view_dimension"))
    client = browser_of(user)
    assert listed(client, Dimension) == set()
    assert client.get(add_to(Dimension)).status_code == 403


def test_staff_without_a_workspace_are_told_what_to_do(ours: Workspace) -> None:
    advice = "You are not a member of any workspace yet"
    assert advice in outsider().get("/admin/").content.decode()
    assert advice not in member(ours).get("/admin/").content.decode()


def test_before_there_is_a_workspace_a_superuser_is_told_how_to_get_one(admin_client: Client) -> None:
    assert "manage.py load_starter" in admin_client.get("/admin/").content.decode()
    WorkspaceFactory()
    assert "manage.py load_starter" not in admin_client.get("/admin/").content.decode()

"""The page of an export, *Export* for chosen conversations, and the history with its files."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from conversations.admin import exporting
from conversations.models import Conversation, Export, Workspace
from tests.admin_pages import confirmed, list_of, member, page_of, said
from tests.factories import ConversationFactory, ExportFactory, TurnFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db

NEW = "/admin/conversations/export/new/"


def made(workspace: Workspace, **values: Any) -> Conversation:
    values = {"status": "approved", **values}
    conversation: Conversation = ConversationFactory(workspace=workspace, **values)
    for position, role in enumerate(("user", "assistant"), start=1):
        TurnFactory(conversation=conversation, position=position, role=role, content=conversation.conversation_id)
    return conversation


def filled_in(client: Client, **changes: Any) -> dict[str, Any]:
    form = client.get(NEW).context["form"]
    return {**{bound.html_name: bound.value() for bound in form if bound.value()}, **changes}


def names_in(export: Export) -> set[str]:
    lines = Path(export.file).read_text(encoding="utf-8").splitlines()
    return {json.loads(line)["messages"][-1]["content"] for line in lines}


def test_the_page_opens_with_what_was_approved_and_counts_it(lead: Client, workspace: Workspace) -> None:
    made(workspace)
    made(workspace, simulated=True)
    made(workspace, status="generated")
    response = lead.get(NEW)
    assert (response.context["counts"].taken, response.context["counts"].left_out) == (1, 1)
    assert "1 simulated left out." in response.content.decode()


@pytest.mark.parametrize(
    ("choice", "number"),
    [
        ({"statuses": ["approved", "generated"], "tier": "all"}, 3),
        ({"statuses": ["approved", "generated"], "tier": "scenario"}, 1),
        ({"statuses": ["approved"], "tier": "all", "include_simulated": "on"}, 2),
        ({"statuses": ["needs_revision"], "tier": "all"}, 0),
    ],
)
def test_it_counts_what_is_chosen_before_anything_is_written(
    lead: Client, workspace: Workspace, choice: dict[str, Any], number: int
) -> None:
    made(workspace)
    made(workspace, simulated=True)
    made(workspace, status="generated")
    made(workspace, status="generated", tier="scenario")
    response = lead.get(NEW, {"workspace": workspace.pk, "format": "openai", **choice})
    assert response.context["counts"].taken == number
    assert not Export.objects.exists()


def test_without_a_status_it_says_what_is_missing(lead: Client, workspace: Workspace) -> None:
    response = lead.get(NEW, {"workspace": workspace.pk, "format": "openai", "tier": "all"})
    assert response.context["counts"] is None
    assert "Choose one status at least." in response.content.decode()


def test_an_export_of_several_statuses_is_written_recorded_and_downloaded(lead: Client, workspace: Workspace) -> None:
    wanted = {made(workspace).conversation_id, made(workspace, status="generated").conversation_id}
    made(workspace, status="pending_review")
    response = lead.post(NEW, filled_in(lead, statuses=["approved", "generated"]))
    assert response["Location"] == list_of(Export)
    export = Export.objects.get()
    assert (export.scope, export.conversation_count) == ("several", 2)
    assert export.filters == {"include_simulated": False, "statuses": ["approved", "generated"]}
    assert names_in(export) == wanted
    (told,) = said(response)
    url = reverse("admin:conversations_export_download", args=[export.pk])
    assert told.startswith("2 conversations exported.")
    assert url in told
    page = lead.get(list_of(Export)).content.decode()
    assert url in page
    assert "Approved, Generated" in page
    answer = lead.get(url)
    assert "attachment" in answer["Content-Disposition"]
    assert b"".join(answer.streaming_content) == Path(export.file).read_bytes()


def test_one_tier_alone_is_recorded_as_such(lead: Client, workspace: Workspace) -> None:
    scenario = made(workspace, tier="scenario")
    made(workspace)
    lead.post(NEW, filled_in(lead, tier="scenario"))
    export = Export.objects.get()
    assert (export.scope, export.filters["tier"], names_in(export)) == (
        "approved",
        "scenario",
        {scenario.conversation_id},
    )
    assert "Approved, scenario" in lead.get(page_of(export)).content.decode()


def test_when_all_are_simulated_it_says_how_to_export_them(lead: Client, workspace: Workspace) -> None:
    made(workspace, simulated=True)
    page = lead.post(NEW, filled_in(lead)).content.decode()
    assert "All 1 approved conversations are simulated" in page
    assert lead.post(NEW, filled_in(lead, include_simulated="on")).status_code == 302
    assert "badge-simulated" in lead.get(list_of(Export)).content.decode()


def test_more_than_a_page_should_wait_for_is_refused(
    lead: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "MOST", 1)
    made(workspace)
    made(workspace)
    assert "A page exports 1 at most." in lead.get(NEW).content.decode()
    page = lead.post(NEW, filled_in(lead)).content.decode()
    assert "These are 2 conversations, and a page exports 1 at most." in page
    assert not Export.objects.exists()


def test_what_is_no_valid_example_is_said(lead: Client, workspace: Workspace) -> None:
    made(workspace)
    cut_off = ConversationFactory(workspace=workspace, status="approved")
    TurnFactory(conversation=cut_off, position=1, role="user", content="Hello?")
    (told,) = said(lead.post(NEW, filled_in(lead)))
    assert "1 left out as no valid example." in told
    page = lead.get(page_of(Export.objects.get())).content.decode()
    assert f"{cut_off.conversation_id}: it does not end with the assistant." in page


def test_who_looks_at_all_workspaces_chooses_one(admin_client: Client, workspace: Workspace) -> None:
    mine = made(workspace)
    made(WorkspaceFactory())
    assert '<select name="workspace"' in admin_client.get(NEW).content.decode()
    admin_client.post(NEW, filled_in(admin_client, workspace=workspace.pk))
    assert names_in(Export.objects.get()) == {mine.conversation_id}


def test_another_workspace_cannot_be_named(lead: Client) -> None:
    other = WorkspaceFactory()
    made(other)
    response = lead.post(NEW, filled_in(lead, workspace=other.pk))
    assert "You have switched to another workspace" in response.content.decode()
    assert not Export.objects.exists()


def test_who_may_not_export_sees_neither_page_nor_buttons_nor_files(workspace: Workspace) -> None:
    client, conversation = member(workspace, "curator"), made(workspace)
    export = ExportFactory(workspace=workspace)
    download = reverse("admin:conversations_export_download", args=[export.pk])
    assert client.get(NEW).status_code == 403
    assert client.post(NEW).status_code == 403
    assert client.get(download).status_code == 403
    for url in (list_of(Conversation), list_of(Export), page_of(export)):
        page = client.get(url).content.decode()
        assert NEW not in page
        assert "Download" not in page
    data = {"action": "export", "_selected_action": [conversation.pk]}
    assert client.post(list_of(Conversation), data).status_code == 403


def test_a_file_that_is_gone_is_said_and_not_offered(lead: Client, workspace: Workspace) -> None:
    export = ExportFactory(workspace=workspace)
    assert "no longer here" in lead.get(list_of(Export)).content.decode()
    response = lead.get(reverse("admin:conversations_export_download", args=[export.pk]))
    assert "Export again." in said(response)[0]


def test_another_workspaces_file_is_not_there(lead: Client) -> None:
    export = ExportFactory(workspace=WorkspaceFactory())
    assert lead.get(reverse("admin:conversations_export_download", args=[export.pk])).status_code == 404


def test_without_exports_the_history_says_what_they_are(lead: Client) -> None:
    page = lead.get(list_of(Export)).content.decode()
    assert "No exports yet" in page
    assert NEW in page


# --- Chosen in the list


def export_chosen(client: Client, rows: list[Conversation], **fields: Any) -> Any:
    data = {"action": "export", "_selected_action": [row.pk for row in rows]}
    return confirmed(client, list_of(Conversation), data, **fields)


def test_exactly_the_chosen_are_exported(lead: Client, workspace: Workspace) -> None:
    mine, draft = made(workspace, status="pending_review"), ConversationFactory(workspace=workspace)
    made(workspace)
    response = export_chosen(lead, [mine, draft], format="openai")
    assert response["Location"] == list_of(Export)
    export = Export.objects.get()
    assert (export.scope, names_in(export)) == ("chosen", {mine.conversation_id})
    assert export.filters == {"include_simulated": False, "chosen": [mine.conversation_id]}
    assert mine.conversation_id in lead.get(page_of(export)).content.decode()


def test_before_that_it_says_which_are_left_out(lead: Client, workspace: Workspace) -> None:
    rows = [made(workspace), made(workspace, simulated=True), ConversationFactory(workspace=workspace)]
    data = {"action": "export", "_selected_action": [row.pk for row in rows]}
    page = lead.post(list_of(Conversation), data).content.decode()
    assert "1 of them is simulated, and left out unless you include simulated conversations." in page
    assert "Draft: only what is written and in use is exported." in page
    assert not Export.objects.exists()


def test_simulated_ones_that_were_chosen_are_exported_only_by_name(lead: Client, workspace: Workspace) -> None:
    simulated = made(workspace, simulated=True)
    (told,) = said(export_chosen(lead, [simulated], format="openai"))
    assert "simulated" in told
    export_chosen(lead, [simulated], format="openai", include_simulated="on")
    assert names_in(Export.objects.get()) == {simulated.conversation_id}


def test_a_file_has_one_workspace(admin_client: Client) -> None:
    rows = [made(WorkspaceFactory()), made(WorkspaceFactory())]
    assert said(export_chosen(admin_client, rows))[0].startswith("Choose conversations of one workspace")


def test_a_folder_that_cannot_be_written_is_said_without_its_place(
    lead: Client, workspace: Workspace, settings: Any
) -> None:
    conversation = made(workspace)
    settings.VAR_DIR.mkdir(parents=True)
    (settings.VAR_DIR / "exports").write_text("in the way")
    page = lead.post(NEW, filled_in(lead)).content.decode()
    assert "The file cannot be written" in page
    assert str(settings.VAR_DIR) not in page
    assert "The file cannot be written" in said(export_chosen(lead, [conversation], format="openai"))[0]

"""The pages of a conversation: what they show, what they keep, and a reviewer's actions."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from conversations import quality
from conversations.models import Conversation
from tests.admin_pages import columns_written, filled_in, list_of, listed, member, page_of, queries_of, run
from tests.factories import ConversationFactory, DimensionFactory, GenerationLogFactory, TurnFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db


def scored(**values: Any) -> Conversation:
    said = [quality.Turn("user", "What comes first?"), quality.Turn("assistant", "A plan.")]
    report = quality.assess(quality.Sample(turns=tuple(said), tier="template"))
    values = {"status": "pending_review", "quality_score": report.score, "quality_metrics": report.as_json(), **values}
    conversation = ConversationFactory(**values)
    for position, turn in enumerate(said, start=1):
        TurnFactory(conversation=conversation, position=position, role=turn.role, content=turn.content)
    return conversation


def shown(client: Client, url: str) -> str:
    return str(client.get(url).content.decode())


def test_the_quality_is_told_in_words_and_the_turns_can_be_read(admin_client: Client) -> None:
    conversation = scored()
    page = shown(admin_client, page_of(conversation))
    for component in conversation.quality_metrics["components"]:
        assert component["label"] in page
        assert escape(component["advice"]) in page
    for flag in conversation.quality_metrics["flags"]:
        assert escape(flag["message"]) in page
    assert "What comes first?" in page
    assert "&quot;components&quot;" not in page


def test_simulated_conversations_say_so_in_the_list_and_on_their_page(admin_client: Client) -> None:
    real, simulated = scored(), scored(simulated=True)
    mark = '<span class="badge badge-simulated">Simulated</span>'
    assert shown(admin_client, list_of(Conversation)).count(mark) == 1
    assert "Written by simulated Claude: not training data." in shown(admin_client, page_of(simulated))
    assert "Written by simulated Claude" not in shown(admin_client, page_of(real))


def test_a_failure_is_one_sentence_in_the_list_and_on_the_page(admin_client: Client) -> None:
    sentence = "Claude is overloaded. Try again in a while."
    failed = ConversationFactory(status="failed", failure_type="overloaded", failure_message=sentence)
    assert sentence in shown(admin_client, list_of(Conversation))
    page = shown(admin_client, page_of(failed))
    assert f"<strong>{failed} was not written.</strong> {sentence}" in page
    assert "The same may well succeed when you try it again" in page


def test_the_page_leads_to_the_log(admin_client: Client) -> None:
    conversation = scored()
    GenerationLogFactory(conversation=conversation)
    page = shown(admin_client, page_of(conversation))
    assert f"/admin/generation/generationlog/?conversation__id__exact={conversation.pk}" in page
    assert "1 in the log" in page


def test_a_curator_changes_the_title_and_notes_and_nothing_that_history_needs(admin_client: Client) -> None:
    conversation = scored(cost_usd=Decimal("0.01"), model="claude-x", parameters={"city": "Oslo"})
    before = Conversation.objects.filter(pk=conversation.pk).values().get()
    changes = {
        "title": "A better title",
        "reviewer_notes": "Good.",
        "conversation_id": "TPL-9999",
        "status": "approved",
        "quality_score": "10",
        "cost_usd": "0",
        "model": "claude-y",
        "simulated": "on",
        "parameters": '{"city": "Bergen"}',
        "review_history": "[]",
        "slot": "other",
    }
    response = admin_client.post(page_of(conversation), filled_in(admin_client, page_of(conversation), **changes))
    assert response.status_code == 302
    after = Conversation.objects.filter(pk=conversation.pk).values().get()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"title", "reviewer_notes", "updated_at"}


def test_what_a_worker_may_have_moved_on_meanwhile_is_not_written(admin_client: Client) -> None:
    assert columns_written(admin_client, scored(), title="A better title") == {"title", "updated_at"}


@pytest.mark.parametrize("status", ["draft", "failed"])
def test_the_parameters_of_what_is_still_to_be_made_can_be_given(admin_client: Client, status: str) -> None:
    draft = ConversationFactory(status=status)
    url = page_of(draft)
    assert admin_client.post(url, filled_in(admin_client, url, parameters='{"city": "Oslo"}')).status_code == 302
    draft.refresh_from_db()
    assert draft.parameters == {"city": "Oslo"}


@pytest.mark.parametrize(("given", "complaint"), [("[1]", "must be an object"), ("{", "valid JSON")])
def test_parameters_that_are_no_object_are_refused(admin_client: Client, given: str, complaint: str) -> None:
    url = page_of(ConversationFactory())
    response = admin_client.post(url, filled_in(admin_client, url, parameters=given))
    assert complaint in response.context["adminform"].form.errors["parameters"][0]


def test_emptied_parameters_are_none(admin_client: Client) -> None:
    draft = ConversationFactory(parameters={"city": "Oslo"})
    assert admin_client.post(page_of(draft), filled_in(admin_client, page_of(draft), parameters="")).status_code == 302
    draft.refresh_from_db()
    assert draft.parameters == {}


@pytest.mark.parametrize(
    ("action", "status"),
    [("approve", "approved"), ("reject", "rejected"), ("request_changes", "needs_revision"), ("archive", "archived")],
)
def test_a_reviewers_action_moves_the_selected(action: str, status: str) -> None:
    workspace = WorkspaceFactory()
    first, second = scored(workspace=workspace), scored(workspace=workspace)
    what = "now needs revision" if status == "needs_revision" else f"is now {status}"
    assert run(member(workspace, "reviewer"), action, [first]) == [f"1 conversation {what}."]
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == (status, "pending_review")
    assert first.review_history[0]["decision"] == action


def test_what_cannot_be_approved_is_named_with_its_status(admin_client: Client) -> None:
    good, draft = scored(), ConversationFactory()
    told = run(admin_client, "approve", [good, draft])
    assert told[0] == "1 conversation is now approved."
    assert told[1].startswith(f"1 left unchanged: {draft.conversation_id} (draft) cannot become approved")


@pytest.mark.parametrize("action", ["approve", "reject", "request_changes", "archive"])
def test_who_may_not_review_has_no_actions(action: str) -> None:
    conversation = scored()
    client = member(conversation.workspace, "curator")
    assert f'value="{action}"' not in shown(client, list_of(Conversation))
    data = {"action": action, "_selected_action": [conversation.pk]}
    assert client.post(list_of(Conversation), data).status_code == 403
    assert client.post(list_of(Conversation), {"one": f"{action} {conversation.pk}"}).status_code == 403
    conversation.refresh_from_db()
    assert (conversation.status, conversation.review_history) == ("pending_review", [])


def test_many_are_archived_and_never_deleted_at_once(admin_client: Client) -> None:
    scored()
    page = shown(admin_client, list_of(Conversation))
    assert 'value="archive"' in page
    assert 'value="delete_selected"' not in page


@pytest.mark.parametrize(
    ("wanted", "scores"),
    [("weak", {"5.9"}), ("fair", {"6.0", "7.9"}), ("good", {"8.0", "10.0"}), ("none", {"None"})],
)
def test_the_list_is_filtered_by_quality(admin_client: Client, wanted: str, scores: set[str]) -> None:
    workspace = WorkspaceFactory()
    for score in ("5.9", "6.0", "7.9", "8.0", "10.0", None):
        ConversationFactory(workspace=workspace, quality_score=score)
    found = Conversation.objects.filter(pk__in=listed(admin_client, Conversation, quality=wanted))
    assert {str(conversation.quality_score) for conversation in found} == scores


def test_the_list_is_filtered_by_a_persona(admin_client: Client) -> None:
    nurse = ConversationFactory(persona="Nurse")
    DimensionFactory(workspace=nurse.workspace, name="Nurse")
    ConversationFactory(persona="Teacher")
    assert listed(admin_client, Conversation, persona="Nurse") == {nurse.pk}


def test_the_list_leaves_the_reports_in_the_database(admin_client: Client) -> None:
    scored()
    assert not any('"quality_metrics"' in query for query in queries_of(admin_client, list_of(Conversation)))


def test_unscored_conversations_come_last_when_the_weakest_are_wanted(admin_client: Client) -> None:
    workspace = WorkspaceFactory()
    for score in (None, "7.0", "3.0"):
        ConversationFactory(workspace=workspace, quality_score=score)
    columns = admin_client.get(list_of(Conversation)).context["cl"].list_display
    response = admin_client.get(list_of(Conversation, o=columns.index("score")))
    assert [row.quality_score for row in response.context["cl"].result_list] == [Decimal("3.0"), Decimal("7.0"), None]

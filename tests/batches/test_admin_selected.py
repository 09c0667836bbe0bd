"""The list of conversations with *Generate* and *Regenerate* for those that are chosen, and its filter by batch."""

from typing import Any

import pytest
from django.test import Client

from batches import regeneration
from batches.models import BatchItem, BatchJob
from conversations import versions
from conversations.models import Conversation, Workspace
from tests.admin_pages import confirmed, list_of, member, page_of, queries_of, said
from tests.factories import BatchItemFactory, ConversationFactory, UserFactory, WorkspaceFactory, batch_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory()


def written(workspace: Workspace, **values: Any) -> Conversation:
    made: Conversation = ConversationFactory(
        workspace=workspace, **{"status": "generated", "quality_score": "4.0", "turn_count": 8, **values}
    )
    return made


def asked_for(client: Client, action: str, rows: list[Conversation], **fields: Any) -> Any:
    data = {"action": action, "_selected_action": [row.pk for row in rows], **fields}
    return client.post(list_of(Conversation), data)


def regenerated(client: Client, rows: list[Conversation]) -> Any:
    data = {"action": "regenerate_selected", "_selected_action": [row.pk for row in rows]}
    return confirmed(client, list_of(Conversation), data)


# --- Generate


def test_what_can_be_generated_goes_on_to_its_plan_after_a_word_about_the_others(
    curator: Client, workspace: Workspace
) -> None:
    draft, made = ConversationFactory(workspace=workspace), written(workspace)
    waiting = BatchItemFactory(job__workspace=workspace).conversation
    response = asked_for(curator, "generate_selected", [draft, made, waiting])
    asked = response.context["asked"]
    assert asked.taken == [draft.conversation_id]
    assert asked.refused == {
        made.conversation_id: "Generated: only drafts and failed ones can be generated.",
        waiting.conversation_id: "A batch is at work on them, or will be.",
    }
    response = asked_for(curator, "generate_selected", [draft, made, waiting], agreed=asked.fingerprint)
    assert [each.key for each in response.context["plan"].taken.existing] == [draft.pk]
    assert BatchJob.objects.count() == 1


def test_who_may_not_generate_is_refused(workspace: Workspace) -> None:
    client, made = member(workspace, "operator"), written(workspace)
    for action in ("generate_selected", "regenerate_selected"):
        assert asked_for(client, action, [made]).status_code == 403
    assert not BatchJob.objects.exists()


# --- Regenerate


def test_before_many_are_regenerated_their_cost_is_shown_and_nothing_is_begun(
    curator: Client, workspace: Workspace
) -> None:
    first, second, draft = written(workspace), written(workspace), ConversationFactory(workspace=workspace)
    response = asked_for(curator, "regenerate_selected", [first, second, draft])
    page = response.content.decode()
    assert "Regenerate 2 conversations?" in page
    assert "About $0.0" in page
    assert "is still a draft" in page
    assert Conversation.objects.count() == 3
    assert not BatchJob.objects.exists()


def test_confirmed_a_batch_writes_the_next_version_of_each(curator: Client, workspace: Workspace) -> None:
    rows = [written(workspace, parameters={"city": "Oslo"}), written(workspace)]
    response = regenerated(curator, rows)
    job = BatchJob.objects.get()
    assert response["Location"] == page_of(job)
    assert job.name == "Regenerate 2 conversations"
    items = BatchItem.objects.filter(job=job).select_related("conversation__parent")
    assert {item.conversation.parent for item in items} == set(rows)
    assert {item.conversation.version for item in items} == {2}
    assert {str(item.conversation.parameters) for item in items} == {"{'city': 'Oslo'}", "{}"}
    assert set(Conversation.objects.filter(version=1).values_list("status", flat=True)) == {"generated"}


def test_what_is_being_regenerated_already_is_left_alone(curator: Client, workspace: Workspace) -> None:
    made = written(workspace)
    regenerated(curator, [made])
    response = asked_for(curator, "regenerate_selected", [made])
    assert response.context["asked"].taken == []
    assert "waits in a batch already" in response.content.decode()


def test_a_version_that_failed_is_taken_up_again(curator: Client, workspace: Workspace) -> None:
    made = written(workspace)
    version = written(
        workspace, status="failed", version=2, parent=made, parent_type="regeneration", first_version=made.pk
    )
    regenerated(curator, [made])
    assert BatchItem.objects.get().conversation_id == version.pk


def test_what_was_regenerated_already_leads_to_its_current_version(curator: Client, workspace: Workspace) -> None:
    made = written(workspace, status="archived")
    current = written(
        workspace, version=2, parent=made, parent_type="regeneration", first_version=made.pk, conversation_id="TPL-X-v2"
    )
    asked = asked_for(curator, "regenerate_selected", [made, current]).context["asked"]
    assert asked.taken == [current.conversation_id]
    assert "its current version is TPL-X-v2" in asked.refused[made.conversation_id]


def test_too_many_are_refused(curator: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regeneration, "MOST", 1)
    (told,) = said(asked_for(curator, "regenerate_selected", [written(workspace), written(workspace)]))
    assert told == "At most 1 conversations are regenerated at one time. Choose fewer."


def test_when_one_cannot_be_regenerated_any_more_none_is(workspace: Workspace) -> None:
    rows = [written(workspace), written(workspace)]
    Conversation.objects.filter(pk=rows[1].pk).update(status="archived", turn_count=0)
    with pytest.raises(versions.CannotRegenerate, match="archived before it was written"):
        regeneration.order_many(workspace, rows, by=UserFactory())
    assert Conversation.objects.count() == 2
    assert not BatchJob.objects.exists()


def test_a_batch_has_one_workspace(admin_client: Client) -> None:
    rows = [written(WorkspaceFactory()), written(WorkspaceFactory())]
    for action in ("generate_selected", "regenerate_selected"):
        assert said(asked_for(admin_client, action, rows))[0].startswith("Choose conversations of one workspace")


def test_the_chains_of_many_are_read_at_once(curator: Client, workspace: Workspace) -> None:
    first, second = written(workspace), written(workspace)
    version = versions.prepare(first)
    chains = versions.chains([first, second, version])
    assert [one.pk for one in chains[first.pk].versions] == [first.pk, version.pk]
    assert chains[version.pk].current.pk == first.pk
    assert [one.pk for one in chains[second.pk].versions] == [second.pk]


# --- The filter by batch


def test_an_old_batch_is_named_where_it_is_asked_for(curator: Client, workspace: Workspace) -> None:
    old = batch_of("completed", workspace=workspace, status="completed", name="The very first")
    for _ in range(20):
        batch_of("completed", workspace=workspace, status="completed")
    assert "The very first" not in curator.get(list_of(Conversation)).content.decode()
    chips = curator.get(list_of(Conversation, batch=old.pk)).context["cl"].chips
    assert [chip.words for chip in chips] == ["Batch: The very first"]


def test_the_list_takes_the_same_queries_whatever_it_is_filtered_by(curator: Client, workspace: Workspace) -> None:
    written(workspace)
    plain = len(queries_of(curator, list_of(Conversation)))
    for filters in ({"tier__exact": "template"}, {"quality": "weak"}, {"created": "today"}, {"simulated__exact": "0"}):
        assert len(queries_of(curator, list_of(Conversation, **filters))) == plain

"""One conversation by the API: create it, read it, change it, archive it, delete it."""

import json
from typing import Any
from uuid import uuid4

import pytest

from conversations.models import Conversation, Workspace
from convgen.text import storable
from tests.api_client import Api, problems, told
from tests.factories import (
    BatchItemFactory,
    ChunkFactory,
    ConversationFactory,
    PromptTemplateFactory,
)
from tests.statuses import put
from tests.talks import a_talk, turns


def path_of(conversation: Conversation, *parts: str) -> str:
    return "/".join(["conversations", str(conversation.pk), *parts, ""])


# --- Reading


def test_a_conversation_is_read_whole(curator: Api, workspace: Workspace) -> None:
    template = PromptTemplateFactory(workspace=workspace, name="First steps")
    talk = a_talk(workspace=workspace, template=template, persona="Saver", parameters={"age": 41})
    body = curator.get(path_of(talk)).json()
    assert (body["id"], body["conversation_id"], body["status"]) == (str(talk.pk), "TPL-0001", "generated")
    assert (body["template"], body["template_name"]) == (str(template.pk), "First steps")
    assert (body["persona"], body["parameters"], body["created_by"]) == ("Saver", {"age": 41}, None)
    assert [turn["role"] for turn in body["turns"]] == ["user", "assistant"] * 4
    assert body["turns"][0]["position"] == 1
    assert body["quality_score"] == body["quality_metrics"]["score"] == float(str(talk.quality_score))
    assert body["cost_usd"] == "0.000000"
    assert curator.get(body["versions_url"]).json()["current"] == "TPL-0001"


@pytest.mark.parametrize("named", ["TPL-0007-v2", "tpl-0007-V2", "id"])
def test_it_is_found_by_uuid_and_by_readable_id_however_capitalised(
    curator: Api, workspace: Workspace, named: str
) -> None:
    row = ConversationFactory(workspace=workspace, conversation_id="TPL-0007-v2")
    name = str(row.pk) if named == "id" else named
    assert curator.get(f"conversations/{name}/").json()["id"] == str(row.pk)


def test_a_draft_has_no_quality_yet(curator: Api, workspace: Workspace) -> None:
    body = curator.get(path_of(ConversationFactory(workspace=workspace))).json()
    assert (body["quality_score"], body["quality_metrics"], body["turns"]) == (None, None, [])


def test_what_is_known_already_is_not_sent_again(curator: Api, workspace: Workspace) -> None:
    talk = a_talk(workspace=workspace)
    etag = curator.get(path_of(talk))["ETag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = curator.get(path_of(talk), HTTP_IF_NONE_MATCH=known)
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    curator.patch(path_of(talk), {"title": "Another one"})
    assert curator.get(path_of(talk), HTTP_IF_NONE_MATCH=etag).status_code == 200


def test_the_etag_tells_that_the_templates_name_has_changed(curator: Api, workspace: Workspace) -> None:
    template = PromptTemplateFactory(workspace=workspace)
    path = path_of(ConversationFactory(workspace=workspace, template=template))
    etag = curator.get(path)["ETag"]
    template.name = "Another name"
    template.save()
    assert curator.get(path, HTTP_IF_NONE_MATCH=etag).json()["template_name"] == "Another name"


def test_reading_takes_as_many_queries_for_many_turns(
    curator: Api, workspace: Workspace, django_assert_max_num_queries: Any
) -> None:
    short, long = (path_of(a_talk(count, workspace=workspace)) for count in (4, 20))
    curator.get(short)
    with django_assert_max_num_queries(50) as few:
        curator.get(short)
    with django_assert_max_num_queries(len(few)):
        assert len(curator.get(long).json()["turns"]) == 20


# --- Creating


def test_a_draft_is_created(curator: Api, workspace: Workspace) -> None:
    template = PromptTemplateFactory(workspace=workspace, tier="scenario")
    chunk = ChunkFactory(document__workspace=workspace)
    wanted = {"template": str(template.pk), "chunk": str(chunk.pk), "persona": "Saver", "parameters": {"age": 41}}
    created = curator.post("conversations/", wanted)
    body = created.json()
    assert (created.status_code, body["status"], body["tier"]) == (201, "draft", "scenario")
    assert (body["conversation_id"], body["document"]) == ("SCN-0001", str(chunk.document_id))
    assert curator.get(created["Location"])["ETag"] == created["ETag"]
    assert body["created_by"] == Conversation.objects.get().created_by.username  # type: ignore[union-attr]


def test_a_conversation_with_turns_is_scored_at_once(curator: Api) -> None:
    body = curator.post("conversations/", {"tier": "template", "title": "By hand", "turns": turns(8)}).json()
    assert (body["status"], body["turn_count"], len(body["turns"])) == ("generated", 8, 8)
    assert body["quality_score"] > 6


def test_a_weak_one_waits_for_review(curator: Api) -> None:
    wanted = {"tier": "template", "turns": [{"role": "user", "content": "Hello?"}]}
    assert curator.post("conversations/", wanted).json()["status"] == "pending_review"


def test_what_is_wrong_with_a_new_one_is_told_by_field(curator: Api, elsewhere: Workspace) -> None:
    wrong = {
        "tier": "easy",
        "template": "no-uuid",
        "chunk": str(ChunkFactory(document__workspace=elsewhere).pk),
        "document": str(uuid4()),
        "title": "x" * 301,
        "parameters": [],
        "turns": [{"role": "narrator", "content": ""}],
        "status": "approved",
    }
    assert problems(curator.post("conversations/", wrong), 400) == {
        "tier": "invalid_choice",
        "template": "invalid",
        "chunk": "does_not_exist",
        "document": "does_not_exist",
        "title": "max_length",
        "parameters": "no_object",
        "turns.0.role": "invalid_choice",
        "turns.0.content": "blank",
        "status": "unknown",
    }


def test_a_tier_is_needed_where_no_template_gives_one(curator: Api) -> None:
    refused = curator.post("conversations/", {"title": "Nothing else"})
    assert problems(refused, 400) == {"tier": "invalid"}
    assert "template, scenario, edge_case" in told(refused)


def test_turns_of_blanks_are_refused_by_the_service(curator: Api) -> None:
    refused = curator.post("conversations/", {"tier": "template", "turns": [{"role": "user", "content": "  "}]})
    assert problems(refused, 400) == {"turns": "invalid"}
    assert "Turn 1 is empty" in told(refused)


def post(client: Api, body: Any) -> Any:
    """A new conversation, in JSON that is ASCII alone: a client may write whatever it likes in escapes."""
    return client.generic("POST", "conversations/", json.dumps(body), content_type="application/json")


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
def test_what_postgresql_cannot_store_never_is_an_error_of_ours(curator: Api, text: str) -> None:
    for field in ("title", "persona", "reviewer_notes"):
        assert set(problems(post(curator, {"tier": "template", field: text}), 400)) == {field}
    said = [{"role": "user", "content": text}]
    assert set(problems(post(curator, {"tier": "template", "turns": said}), 400)) == {"turns.0.content"}
    assert set(problems(post(curator, {"tier": "template", text: 1}), 400).values()) == {"unknown"}
    kept = post(curator, {"tier": "template", "parameters": {text: [text]}})
    assert kept.json()["parameters"] == {storable(text): [storable(text)]}


@pytest.mark.parametrize(("depth", "value"), [(500, "1"), (100_000, "1"), (1, "1e999"), (1, "NaN")])
def test_json_that_cannot_be_stored_is_refused(curator: Api, depth: int, value: str) -> None:
    body = '{"tier": "template", "parameters": {"deep": ' + "[" * depth + value + "]" * depth + "}}"
    refused = curator.generic("POST", "conversations/", body, content_type="application/json")
    assert problems(refused, 400)


def test_a_request_that_is_sent_again_creates_nothing_more(curator: Api) -> None:
    first, second = (
        curator.post("conversations/", {"tier": "template"}, HTTP_IDEMPOTENCY_KEY="a-key") for _time in range(2)
    )
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert ("Idempotent-Replayed" in first, second["Idempotent-Replayed"]) == (False, "true")
    other = curator.post("conversations/", {"tier": "scenario"}, HTTP_IDEMPOTENCY_KEY="a-key")
    assert problems(other, 409) == {None: "idempotency_key_reused"}
    assert Conversation.objects.count() == 1


def test_an_operator_creates_and_changes_nothing(operator: Api, workspace: Workspace) -> None:
    path = path_of(a_talk(workspace=workspace))
    assert problems(operator.post("conversations/", {"tier": "template"}), 403)
    assert problems(operator.patch(path, {"title": "Mine"}), 403)
    assert operator.get(path).status_code == 200


# --- Changing


def test_turns_are_replaced_and_scored_anew(curator: Api, workspace: Workspace) -> None:
    talk = a_talk(8, workspace=workspace)
    before = curator.get(path_of(talk)).json()
    changed = curator.patch(path_of(talk), {"title": "Shorter", "turns": turns(4, seed=2, words=5)})
    body = changed.json()
    assert (body["title"], len(body["turns"]), body["turn_count"]) == ("Shorter", 4, 4)
    assert body["quality_score"] < before["quality_score"]
    assert changed["ETag"] == curator.get(path_of(talk))["ETag"]
    [edit] = curator.get(path_of(talk, "edits")).json()["results"]
    assert (edit["fields"], len(edit["turns_before"])) == (["title", "turns"], 8)
    assert (edit["score_before"], edit["score_after"]) == (before["quality_score"], body["quality_score"])
    assert edit["edited_by"] == Conversation.objects.get().edits.get().edited_by.username


def test_what_is_left_out_stays(curator: Api, workspace: Workspace) -> None:
    draft = ConversationFactory(workspace=workspace, persona="Saver", title="Old")
    body = curator.patch(path_of(draft), {"emotion": " Calm ", "parameters": {"city": "Oslo"}}).json()
    assert (body["persona"], body["title"]) == ("Saver", "Old")
    assert (body["emotion"], body["parameters"]) == ("Calm", {"city": "Oslo"})


def test_what_the_status_does_not_allow_is_a_conflict(curator: Api, workspace: Workspace) -> None:
    talk = a_talk(workspace=workspace)
    refused = curator.patch(path_of(talk), {"persona": "Somebody else"})
    assert problems(refused, 409) == {None: "conflict"}
    assert "regenerate it with another value" in told(refused)
    put(talk, "approved")
    refused = curator.patch(path_of(talk), {"turns": turns(8, seed=3)})
    assert problems(refused, 409)
    assert "approved as it stands" in told(refused)


def test_what_cannot_be_changed_is_named(curator: Api, workspace: Workspace) -> None:
    refused = curator.patch(path_of(a_talk(workspace=workspace)), {"status": "approved", "titel": "x"})
    assert problems(refused, 400) == {"status": "unknown", "titel": "unknown"}
    assert "What can: title" in told(refused)


def test_nobodys_work_is_overwritten(curator: Api, workspace: Workspace) -> None:
    path = path_of(a_talk(workspace=workspace))
    etag = curator.get(path)["ETag"]
    assert curator.patch(path, {"title": "First"}, HTTP_IF_MATCH=etag).status_code == 200
    refused = curator.patch(path, {"title": "Second"}, HTTP_IF_MATCH=etag)
    assert problems(refused, 412) == {None: "precondition_failed"}
    assert "Look at it again" in told(refused)
    assert curator.get(path).json()["title"] == "First"
    assert curator.patch(path, {"title": "Third"}, HTTP_IF_MATCH="*").json()["title"] == "Third"
    assert problems(curator.patch(path, {"title": "Fourth"}, HTTP_IF_MATCH="nonsense"), 412)


# --- Archiving and deleting


def test_a_conversation_is_archived_with_a_note(reviewer: Api, workspace: Workspace) -> None:
    talk = a_talk(workspace=workspace)
    answer = reviewer.delete(path_of(talk) + "?note=A+duplicate")
    assert (answer.status_code, answer.content) == (204, b"")
    body = reviewer.get(path_of(talk)).json()
    assert (body["status"], body["review_history"][0]["note"]) == ("archived", "A duplicate")
    again = reviewer.delete(path_of(talk))
    assert problems(again, 409) == {None: "conflict"}
    assert "cannot become archived" in told(again)


def test_a_curator_archives_nothing_and_a_reviewer_deletes_nothing(
    curator: Api, reviewer: Api, workspace: Workspace
) -> None:
    path = path_of(a_talk(workspace=workspace))
    assert problems(curator.delete(path), 403)
    refused = reviewer.delete(f"{path}?hard=true")
    assert problems(refused, 403) == {None: "permission_denied"}
    assert "archive it instead" in told(refused)
    assert Conversation.objects.get().status == "generated"


def test_a_lead_deletes_for_good(lead: Api, workspace: Workspace) -> None:
    path = path_of(a_talk(workspace=workspace))
    assert lead.delete(f"{path}?hard=true").status_code == 204
    assert problems(lead.get(path), 404) == {None: "not_found"}
    assert not Conversation.objects.exists()


def test_what_waits_in_a_batch_is_not_deleted(lead: Api, workspace: Workspace) -> None:
    item = BatchItemFactory(job__workspace=workspace, job__name="Monday")
    refused = lead.delete(path_of(item.conversation) + "?hard=true")
    assert problems(refused, 409) == {None: "conflict"}
    assert "It waits in the batch “Monday”" in told(refused)


def test_a_removal_is_asked_for_in_words_that_are_known(lead: Api, workspace: Workspace) -> None:
    path = path_of(ConversationFactory(workspace=workspace))
    assert problems(lead.delete(f"{path}?hard=perhaps"), 400) == {"hard": "invalid"}
    assert problems(lead.delete(f"{path}?note=%00"), 400) == {"note": "null_characters_not_allowed"}


# --- Other workspaces


def test_what_is_in_another_workspace_is_not_found(lead: Api, elsewhere: Workspace) -> None:
    talk = a_talk(workspace=elsewhere)
    answers = [
        lead.get(path_of(talk)),
        lead.get("conversations/TPL-0001/"),
        lead.patch(path_of(talk), {"title": "Mine"}),
        lead.delete(path_of(talk)),
        lead.delete(path_of(talk) + "?hard=true"),
        lead.get(path_of(talk, "versions")),
        lead.get(path_of(talk, "compare")),
        lead.get(path_of(talk, "edits")),
        lead.post(path_of(talk, "review"), {"decision": "approve"}),
    ]
    for answer in answers:
        assert problems(answer, 404) == {None: "not_found"}
    assert Conversation.objects.get().status == "generated"

"""What reviewers decide by the API, about one conversation or many."""

from typing import Any
from uuid import uuid4

import pytest

from conversations.models import Conversation, Workspace
from tests.api_client import Api, problems, told
from tests.factories import ConversationFactory


def one(workspace: Workspace, status: str = "pending_review", **values: Any) -> Conversation:
    claim = uuid4() if status == "generating" else None
    return ConversationFactory(workspace=workspace, status=status, claim=claim, **values)


@pytest.mark.parametrize(
    ("decision", "status"),
    [
        ("approve", "approved"),
        ("reject", "rejected"),
        ("request_changes", "needs_revision"),
        ("archive", "archived"),
    ],
)
def test_a_decision_moves_a_conversation_and_stays_on_record(
    reviewer: Api, workspace: Workspace, decision: str, status: str
) -> None:
    row = one(workspace, quality_score="5.6")
    answer = reviewer.post(f"conversations/{row.pk}/review/", {"decision": decision, "note": "As agreed."})
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, status)
    [entry] = body["review_history"]
    assert (entry["decision"], entry["note"], entry["score"]) == (decision, "As agreed.", 5.6)
    assert entry["by"].startswith("curator")
    assert answer["ETag"] == reviewer.get(f"conversations/{row.pk}/")["ETag"]


@pytest.mark.parametrize("status", ["draft", "generating", "approved", "archived"])
def test_a_status_that_does_not_allow_it_is_a_conflict(reviewer: Api, workspace: Workspace, status: str) -> None:
    row = one(workspace, status)
    refused = reviewer.post(f"conversations/{row.conversation_id}/review/", {"decision": "approve"})
    assert problems(refused, 409) == {None: "conflict"}
    assert f"{row} ({status}) cannot become approved: a conversation must be" in told(refused)


def test_what_is_wrong_with_a_decision_is_told_by_field(reviewer: Api, workspace: Workspace) -> None:
    path = f"conversations/{one(workspace).pk}/review/"
    assert problems(reviewer.post(path, {}), 400) == {"decision": "required"}
    wrong = {"decision": "praise", "note": "x" * 2001, "comment": "Well done"}
    assert problems(reviewer.post(path, wrong), 400) == {
        "decision": "invalid_choice",
        "note": "max_length",
        "comment": "unknown",
    }


def test_a_curator_decides_nothing(curator: Api, workspace: Workspace) -> None:
    row = one(workspace)
    for path in (f"conversations/{row.pk}/review/", "conversations/review/"):
        refused = curator.post(path, {"conversation_ids": [str(row.pk)], "decision": "approve"})
        assert "conversations.review_conversation" in told(refused)
        assert problems(refused, 403) == {None: "permission_denied"}


def test_what_may_be_sent_is_told(reviewer: Api, workspace: Workspace) -> None:
    told_of = reviewer.options(f"conversations/{one(workspace).pk}/review/").json()
    assert set(told_of["actions"]["POST"]) == {"decision", "note"}


def test_nothing_is_decided_about_a_text_that_was_changed_since_it_was_read(
    reviewer: Api, workspace: Workspace
) -> None:
    row = one(workspace)
    path = f"conversations/{row.pk}/"
    read = reviewer.get(path)["ETag"]
    row.save()  # as by somebody else
    refused = reviewer.post(f"{path}review/", {"decision": "approve"}, headers={"If-Match": read})
    assert problems(refused, 412) == {None: "precondition_failed"}
    assert told(refused) == f"{row} has been changed since you read it. Read it again, then decide."
    row.refresh_from_db()
    assert row.status == "pending_review"
    again = {"If-Match": reviewer.get(path)["ETag"]}
    assert reviewer.post(f"{path}review/", {"decision": "approve"}, headers=again).json()["status"] == "approved"


# --- Many at once


def decide(client: Api, *names: Any, decision: str = "approve") -> Any:
    wanted = {"conversation_ids": [str(name) for name in names], "decision": decision, "note": "Together."}
    return client.post("conversations/review/", wanted)


def test_many_are_decided_about_at_once_and_the_rest_is_named(reviewer: Api, workspace: Workspace) -> None:
    first, second = one(workspace, conversation_id="TPL-0001"), one(workspace, conversation_id="TPL-0002-v2")
    one(workspace, "draft", conversation_id="TPL-0003")
    answer = decide(reviewer, first.pk, "tpl-0001", "tpl-0002-V2", "TPL-0003")
    assert answer.json() == {
        "status": "approved",
        "changed": ["TPL-0001", "TPL-0002-v2"],
        "refused": [{"conversation_id": "TPL-0003", "status": "draft"}],
        "outdated": [],
        "reason": "TPL-0003 (draft) cannot become approved: a conversation must be generated, pending review or needs "
        "revision for that.",
    }
    second.refresh_from_db()
    assert (second.status, second.review_history[0]["note"]) == ("approved", "Together.")


def with_seen(client: Api, names: list[Any], seen: dict[str, Any]) -> Any:
    wanted = {"conversation_ids": [str(name) for name in names], "decision": "approve", "seen": seen}
    return client.post("conversations/review/", wanted)


def test_those_that_were_changed_since_they_were_read_are_left_and_named(reviewer: Api, workspace: Workspace) -> None:
    rows = [one(workspace, conversation_id=f"TPL-000{number}") for number in (1, 2, 3)]
    listed = reviewer.get("conversations/").json()["results"]
    by_name = {each["conversation_id"]: each["updated_at"] for each in listed}
    rows[1].save()  # as by somebody else
    seen = {"tpl-0001": by_name["TPL-0001"], rows[1].pk.hex: by_name["TPL-0002"]}
    answer = with_seen(reviewer, ["TPL-0001", rows[1].pk, "TPL-0003"], seen).json()
    assert (answer["changed"], answer["outdated"], answer["refused"]) == (["TPL-0001", "TPL-0003"], ["TPL-0002"], [])
    assert answer["reason"] == "TPL-0002 has been changed since you read it. Read it again, then decide."
    rows[1].refresh_from_db()
    assert (rows[1].status, rows[1].review_history) == ("pending_review", [])
    refused = with_seen(reviewer, ["TPL-0002"], {"TPL-0002": by_name["TPL-0002"]})
    assert problems(refused, 409) == {None: "conflict"}
    assert told(refused) == answer["reason"]


def test_what_was_read_is_told_of_those_that_are_decided_about(reviewer: Api, workspace: Workspace) -> None:
    row = one(workspace)
    assert problems(with_seen(reviewer, [row.pk], {"TPL-0999": "2026-11-25T09:30:12Z"}), 400) == {
        "seen": "does_not_exist"
    }
    assert problems(with_seen(reviewer, [row.pk], {str(row.pk): "yesterday"}), 400) == {f"seen.{row.pk}": "invalid"}


def test_where_none_can_be_changed_it_is_a_conflict(reviewer: Api, workspace: Workspace) -> None:
    refused = decide(reviewer, *(one(workspace, "draft").pk for _each in range(7)))
    assert problems(refused, 409) == {None: "conflict"}
    assert "and 2 more cannot become approved" in told(refused)


def test_those_that_are_not_there_are_named_and_nothing_is_decided(
    reviewer: Api, workspace: Workspace, elsewhere: Workspace
) -> None:
    mine, theirs = one(workspace), one(elsewhere, conversation_id="OTHER-1")
    refused = decide(reviewer, mine.pk, theirs.pk, "OTHER-1", "Nobody")
    assert problems(refused, 400) == {"conversation_ids": "does_not_exist"}
    assert f"there is no {theirs.pk}, OTHER-1, Nobody." in told(refused)
    assert set(Conversation.objects.values_list("status", flat=True)) == {"pending_review"}


def test_too_few_and_too_many_are_refused(reviewer: Api) -> None:
    assert problems(decide(reviewer), 400) == {"conversation_ids": "min_length"}
    assert problems(decide(reviewer, *["TPL-0001"] * 1001), 400) == {"conversation_ids": "max_length"}
    assert problems(decide(reviewer, "x" * 41), 400) == {"conversation_ids.0": "max_length"}


def test_many_take_as_many_queries_as_few(
    reviewer: Api, workspace: Workspace, django_assert_max_num_queries: Any
) -> None:
    few, many = ([one(workspace).pk for _each in range(number)] for number in (2, 20))
    decide(reviewer, one(workspace).pk)
    with django_assert_max_num_queries(50) as captured:
        decide(reviewer, *few)
    with django_assert_max_num_queries(len(captured)):
        assert len(decide(reviewer, *many).json()["changed"]) == 20

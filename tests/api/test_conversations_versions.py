"""Versions of a conversation by the API, what became different, and what people changed by hand."""

from typing import Any

from conversations import editing, versions
from conversations.models import Conversation, Workspace
from tests.api_client import Api, problems, told
from tests.factories import ConversationFactory, PromptTemplateFactory, UserFactory
from tests.statuses import put
from tests.talks import a_talk, turns


def regenerated(workspace: Workspace) -> tuple[Conversation, Conversation]:
    """A conversation, and the next version of it, which is under way."""
    talk = a_talk(workspace=workspace, template=PromptTemplateFactory(workspace=workspace), emotion="Anxious")
    return talk, versions.prepare(talk, {"emotion": "Hopeful"}, by=UserFactory())


def test_a_chain_tells_what_is_current_and_what_is_under_way(curator: Api, workspace: Workspace) -> None:
    talk, following = regenerated(workspace)
    for name in ("TPL-0001", "tpl-0001-v2"):
        body = curator.get(f"conversations/{name}/versions/").json()
        assert (body["current"], body["under_way"]) == ("TPL-0001", "TPL-0001-v2")
        first, second = body["versions"]
        assert (first["version"], first["status"], first["parent"]) == (1, "generated", None)
        assert (second["version"], second["status"], second["parent"]) == (2, "draft", str(talk.pk))
    put(talk, "archived")
    put(following, "generated")
    body = curator.get("conversations/TPL-0001/versions/").json()
    assert (body["current"], body["under_way"]) == ("TPL-0001-v2", None)


def test_a_version_is_compared_with_the_one_before_it(curator: Api, workspace: Workspace) -> None:
    regenerated(workspace)
    body = curator.get("conversations/TPL-0001-v2/compare/").json()
    assert (body["before"], body["after"]) == ("TPL-0001", "TPL-0001-v2")
    emotion = {"group": "conversation", "label": "Emotion", "before": "Anxious", "after": "Hopeful"}
    assert emotion in body["differences"]
    assert [turn["change"] for turn in body["turns"]] == ["removed"] * 8


def test_any_two_conversations_are_compared(curator: Api, workspace: Workspace) -> None:
    one, other = (a_talk(workspace=workspace, seed=seed) for seed in (1, 2))
    body = curator.get(f"conversations/{one.pk}/compare/", {"before": other.conversation_id.lower()}).json()
    assert (body["before"], body["after"]) == (other.conversation_id, one.conversation_id)
    assert body["turns"][0]["segments"] == [
        {"change": "removed", "text": turns(1, seed=2)[0]["content"]},
        {"change": "added", "text": turns(1, seed=1)[0]["content"]},
    ]


def test_what_is_to_be_compared_must_be_there(curator: Api, workspace: Workspace, elsewhere: Workspace) -> None:
    path = f"conversations/{a_talk(workspace=workspace).pk}/compare/"
    refused = curator.get(path)
    assert problems(refused, 400) == {"before": "required"}
    assert "name the one to compare it with" in told(refused)
    for name in (ConversationFactory(workspace=elsewhere).pk, "TPL-9999"):
        assert problems(curator.get(path, {"before": name}), 400) == {"before": "does_not_exist"}
    assert set(problems(curator.get(path, {"before": "a\x00b"}), 400)) == {"before"}


def test_edits_are_listed_the_latest_first(curator: Api, workspace: Workspace) -> None:
    talk, anna = a_talk(workspace=workspace), UserFactory(username="anna")
    editing.update(talk, {"title": "First"}, by=anna)
    editing.update(talk, {"title": "Second"}, by=None)
    editing.update(a_talk(workspace=workspace, seed=2), {"title": "Other"}, by=anna)
    page = curator.get(f"conversations/{talk.conversation_id}/edits/", {"page_size": 1}).json()
    [latest] = page["results"]
    assert (latest["edited_by"], latest["fields"], latest["turns_before"]) == (None, ["title"], None)
    [first] = curator.get(page["next"]).json()["results"]
    assert (first["edited_by"], first["score_before"]) == ("anna", float(str(talk.quality_score)))


def test_more_edits_take_no_more_queries(
    curator: Api, workspace: Workspace, django_assert_max_num_queries: Any
) -> None:
    path = f"conversations/{a_talk(workspace=workspace).pk}/edits/"
    counts = []
    for number in range(1, 4):
        for title in "ab" * number:
            editing.update(Conversation.objects.get(), {"title": title}, by=UserFactory())
        with django_assert_max_num_queries(50) as captured:
            curator.get(path)
        counts.append(len(captured))
    assert counts[0] == counts[1] == counts[2]

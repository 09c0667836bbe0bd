"""What people do to a conversation by hand: create it, change it, archive it, delete it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conversations import editing, versions
from conversations.models import Conversation, Edit, Fingerprint, Turn, Workspace
from convgen.models import User
from generation.models import GenerationLog
from tests.admin_pages import permissions
from tests.factories import (
    BatchItemFactory,
    ChunkFactory,
    ConversationFactory,
    GenerationLogFactory,
    PromptTemplateFactory,
    UserFactory,
)
from tests.statuses import put
from tests.talks import a_talk, turns

pytestmark = pytest.mark.django_db

OPEN = ("generated", "pending_review", "needs_revision")


@pytest.fixture
def anna() -> User:
    return UserFactory(username="anna")


@pytest.fixture
def lead(admin_user: User) -> User:
    return admin_user


def refusals(error: pytest.ExceptionInfo[ValidationError]) -> dict[str, list[str]]:
    return error.value.message_dict


def queries(act: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)


def everything(conversation: Conversation) -> dict[str, Any]:
    row = Conversation.objects.filter(pk=conversation.pk).values().get()
    fingerprint = Fingerprint.objects.filter(conversation=conversation).values().first()
    return {
        **row,
        "turns": list(conversation.turns.values()),
        "fingerprint": fingerprint,
        "edits": Edit.objects.count(),
    }


def said(conversation: Conversation) -> list[dict[str, str]]:
    return list(conversation.turns.order_by("position").values("role", "content"))


# --- Creating ---------------------------------------------------------------------------------------------


def test_a_conversation_is_created_whole(workspace: Workspace, anna: User) -> None:
    chunk = ChunkFactory(document__workspace=workspace)
    template = PromptTemplateFactory(workspace=workspace, tier="scenario", version=3)
    made = editing.create(
        workspace=workspace, template=template, chunk=chunk, turns=turns(), by=anna, title=" Rent first ", topic="Rent"
    )
    made = Conversation.objects.get(pk=made.pk)
    assert (made.conversation_id, made.tier, made.title, made.topic) == ("SCN-0001", "scenario", "Rent first", "Rent")
    assert (made.status, made.turn_count, made.template_version) == ("generated", 8, 3)
    assert (made.document, made.created_by, made.simulated, made.model) == (chunk.document, anna, False, "")
    assert made.quality_metrics["score"] == float(made.quality_score or 0)
    assert said(made) == turns()
    assert list(made.turns.values_list("position", flat=True)) == list(range(1, 9))
    assert Fingerprint.objects.filter(conversation=made).exists()
    assert not made.edits.exists(), "nothing was replaced"


def test_a_weak_one_waits_for_review(workspace: Workspace) -> None:
    assert editing.create(workspace=workspace, tier="template", turns=turns(1)).status == "pending_review"


def test_without_turns_it_is_a_draft(workspace: Workspace) -> None:
    made = editing.create(workspace=workspace, tier="edge_case", parameters={"city": "Oslo"})
    assert (made.status, made.conversation_id, made.parameters) == ("draft", "EDG-0001", {"city": "Oslo"})
    assert (made.quality_score, made.turn_count, made.turns.count()) == (None, 0, 0)


def test_its_near_duplicates_are_found_at_once(workspace: Workspace) -> None:
    first = a_talk(workspace=workspace)
    second = a_talk(workspace=workspace)
    assert second.status == "pending_review"
    assert first.conversation_id in str(second.quality_metrics["flags"])


def test_all_that_is_wrong_is_told_at_once_and_nothing_is_left(workspace: Workspace) -> None:
    theirs = PromptTemplateFactory()
    with pytest.raises(ValidationError) as error:
        editing.create(
            workspace=workspace,
            tier="gold",
            template=theirs,
            turns=[{"role": "system", "content": " "}],
            title="x" * 301,
            status="approved",
        )
    assert set(refusals(error)) == {"tier", "template", "turns", "title", "status"}
    assert len(refusals(error)["turns"]) == 2
    assert not Conversation.objects.filter(workspace=workspace).exists()


def test_what_the_database_refuses_at_the_end_leaves_nothing(workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace, conversation_id="TPL-0001")  # the number that comes next
    with pytest.raises(Exception, match="conversation_readable_id_once"):
        editing.create(workspace=workspace, tier="template", turns=turns())
    assert (Conversation.objects.count(), Turn.objects.count(), Fingerprint.objects.count()) == (1, 0, 0)


# --- Changing ---------------------------------------------------------------------------------------------


def test_only_what_is_given_is_changed(anna: User) -> None:
    talk = a_talk(category="Rent", reviewer_notes="Look again.")
    edited = editing.update(talk, {"title": "A better title"}, by=anna)
    talk.refresh_from_db()
    assert (talk.title, talk.category, talk.reviewer_notes) == ("A better title", "Rent", "Look again.")
    assert (edited.fields, edited.score_before, edited.score_after) == (
        ("title",),
        talk.quality_score,
        talk.quality_score,
    )


def test_edited_turns_are_scored_anew_with_all_that_follows(anna: User) -> None:
    talk = a_talk()
    before = Fingerprint.objects.get(conversation=talk)
    new = turns(6, seed=2)
    edited = editing.update(talk, {"turns": new, "title": "Shorter"}, by=anna)
    talk.refresh_from_db()
    assert said(talk) == new
    assert list(talk.turns.values_list("position", flat=True)) == [1, 2, 3, 4, 5, 6]
    assert (talk.turn_count, talk.title, talk.status) == (6, "Shorter", "generated")
    assert (edited.score_before, edited.score_after) == (Decimal("10.0"), Decimal("9.3"))
    assert (talk.quality_score, talk.quality_metrics["score"]) == (Decimal("9.3"), 9.3)
    after = Fingerprint.objects.get(conversation=talk)
    assert (after.pk, after.signature != before.signature) == (before.pk, True)
    assert Conversation.objects.matching("w2x5x7").exists()
    assert not Conversation.objects.matching("w1x5x7").exists()


def test_turns_that_stay_are_not_written_and_added_ones_stand_at_the_end() -> None:
    talk = a_talk()
    kept = list(talk.turns.values_list("pk", flat=True))
    new = [*turns(8), {"role": "user", "content": "Thanks."}, {"role": "assistant", "content": "You are welcome."}]
    new[1] = {"role": "assistant", "content": "Quite another answer."}
    with CaptureQueriesContext(connection) as captured:
        editing.update(talk, {"turns": new}, by=None)
    written = [query["sql"] for query in captured if query["sql"].startswith('UPDATE "conversations_turn"')]
    assert len(written) == 1
    assert kept[1].hex in written[0]
    assert kept[0].hex not in written[0]
    assert list(talk.turns.values_list("pk", flat=True))[:8] == kept
    assert said(talk) == new


def test_tokens_are_estimated_as_in_the_reply_that_the_turns_came_from() -> None:
    talk = a_talk()
    talk.turns.update(token_count=0)
    talk.turns.filter(position=1).update(content="x" * 100, token_count=50)
    talk.turns.exclude(position=1).delete()
    editing.update(talk, {"turns": [{"role": "user", "content": "y" * 200}]}, by=None)
    assert talk.turns.get().token_count == 100
    assert a_talk(turns=[{"role": "user", "content": "z" * 200}]).turns.get().token_count == 50


@pytest.mark.parametrize(
    ("status", "after"),
    [("generated", "pending_review"), ("pending_review", "pending_review"), ("needs_revision", "needs_revision")],
)
def test_a_score_that_has_become_weak_sends_what_was_generated_to_review(status: str, after: str) -> None:
    talk = a_talk()
    put(talk, status)
    edited = editing.update(talk, {"turns": turns(1)}, by=None)
    talk.refresh_from_db()
    assert (talk.status, edited.sent_to_review) == (after, status != after)


def test_a_score_that_has_become_good_leaves_the_decision_to_a_person() -> None:
    talk = a_talk(1)
    assert talk.status == "pending_review"
    edited = editing.update(talk, {"turns": turns(8)}, by=None)
    assert (edited.score_after, edited.conversation.status) == (Decimal("10.0"), "pending_review")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("draft", "generate it first"),
        ("failed", "generate it again"),
        ("approved", "regenerate it"),
        ("rejected", "regenerate it"),
        ("archived", "regenerate it"),
    ],
)
def test_turns_that_are_settled_are_refused_with_what_to_do(status: str, reason: str) -> None:
    talk = a_talk()
    put(talk, status)
    before = everything(talk)
    with pytest.raises(ValidationError) as error:
        editing.update(talk, {"turns": turns(4), "title": "New"}, by=None)
    assert reason in refusals(error)["turns"][0]
    assert error.value.error_dict["turns"][0].code == "status"
    assert everything(talk) == before


@pytest.mark.parametrize("name", ["title", "category", "reviewer_notes", "persona", "parameters", "turns"])
def test_nothing_is_changed_while_it_is_generated(name: str) -> None:
    talk = a_talk()
    put(talk, "generating", claim=uuid4(), claim_expires_at=timezone.now())
    value: Any = {"parameters": {"a": 1}, "turns": turns(4)}.get(name, "New")
    with pytest.raises(ValidationError) as error:
        editing.update(talk, {name: value}, by=None)
    assert refusals(error) == {name: ["It is being generated: wait until that has ended."]}


@pytest.mark.parametrize("status", ["draft", "failed"])
def test_what_it_is_made_with_can_be_changed_until_it_is_made(status: str) -> None:
    draft = ConversationFactory(status=status)
    editing.update(draft, {"persona": "Nurse", "parameters": {"city": "Oslo"}}, by=None)
    draft.refresh_from_db()
    assert (draft.persona, draft.parameters) == ("Nurse", {"city": "Oslo"})


@pytest.mark.parametrize("status", [*OPEN, "approved", "rejected", "archived"])
def test_what_it_was_made_with_stays_on_record(status: str) -> None:
    talk = a_talk(persona="Nurse")
    put(talk, status)
    with pytest.raises(ValidationError) as error:
        editing.update(talk, {"persona": "Teacher", "parameters": {"city": "Oslo"}}, by=None)
    assert set(refusals(error)) == {"persona", "parameters"}
    assert editing.update(talk, {"persona": "Nurse"}, by=None).fields == (), "the same value is no change"


def test_everything_that_is_wrong_is_told_by_field_and_nothing_is_changed() -> None:
    talk = a_talk()
    before = everything(talk)
    changes: dict[str, Any] = {
        "title": "x" * 301,
        "category": 7,
        "parameters": ["city"],
        "quality_score": "10",
        "reviewer_notes": "Fine.",
        "turns": [{"role": "narrator", "content": ""}, "Hello", {"role": "user", "content": "Yes?"}],
    }
    with pytest.raises(ValidationError) as error:
        editing.update(talk, changes, by=None)
    told = refusals(error)
    assert set(told) == {"title", "category", "parameters", "quality_score", "turns"}
    assert "cannot be changed" in told["quality_score"][0]
    assert told["turns"] == [
        "Turn 1 needs a role: user or assistant.",
        "Turn 1 is empty: write what is said, or remove the turn.",
        "Turn 2 is no object with “role” and “content”.",
    ]
    assert everything(talk) == before


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("Hello", "as a list"),
        ([], "Leave one turn"),
        (turns(201, words=1), "201 turns are too many: 200"),
        ([{"role": "user", "content": "x" * 100_001}], "100,001 characters: 100,000 at most"),
    ],
)
def test_turns_that_are_none_too_many_or_too_long_are_refused(given: Any, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        editing.update(a_talk(), {"turns": given}, by=None)


def test_text_that_postgresql_refuses_is_stored_without_the_offence() -> None:
    talk = a_talk()
    editing.update(talk, {"title": "N\x00UL", "turns": [{"role": "user", "content": "a\x00b \ud800"}]}, by=None)
    talk.refresh_from_db()
    assert (talk.title, talk.turns.get().content) == ("NUL", "ab �")


def test_what_somebody_else_has_saved_meanwhile_is_not_overwritten(anna: User) -> None:
    talk = a_talk()
    seen = talk.updated_at
    editing.update(talk, {"title": "Theirs"}, by=anna, seen=seen)
    with pytest.raises(editing.EditedMeanwhile, match="Somebody else has changed"):
        editing.update(talk, {"title": "Mine"}, by=anna, seen=seen)
    talk.refresh_from_db()
    assert talk.title == "Theirs"


def test_who_changed_what_is_kept_with_the_turns_that_were_replaced(anna: User) -> None:
    talk = a_talk()
    editing.update(talk, {"title": "New", "turns": turns(6, seed=2)}, by=anna)
    editing.update(talk, {"title": "Newer"}, by=None)
    by_hand, first = talk.edits.all()
    assert (first.edited_by, first.fields, first.turns_before) == (anna, ["title", "turns"], turns(8))
    assert (first.score_before, first.score_after) == (Decimal("10.0"), Decimal("9.3"))
    assert (by_hand.edited_by, by_hand.fields, by_hand.turns_before) == (None, ["title"], None)


def test_what_changes_nothing_writes_nothing() -> None:
    talk = a_talk()
    before = everything(talk)
    edited = editing.update(talk, {"turns": turns(), "title": ""}, by=None)
    assert edited.fields == ()
    assert everything(talk) == before


# --- Archiving and deleting --------------------------------------------------------------------------------


def test_archiving_is_a_decision_on_record(anna: User) -> None:
    talk = a_talk()
    assert editing.archive(talk, by=anna, note="Too close to another.").changed == [talk.conversation_id]
    talk.refresh_from_db()
    assert (talk.status, talk.review_history[0]["by"]) == ("archived", "anna")
    assert editing.archive(talk, by=anna).refused == {talk.conversation_id: "archived"}


def test_deleting_takes_all_that_belongs_to_it_and_leaves_the_log(lead: User) -> None:
    talk = a_talk()
    editing.update(talk, {"title": "New"}, by=lead)
    log = GenerationLogFactory(conversation=talk)
    BatchItemFactory(conversation=talk, status="completed", job__workspace=talk.workspace)
    editing.delete(talk, by=lead)
    assert not Conversation.objects.matching("w1x1x1").exists()
    assert (Turn.objects.count(), Fingerprint.objects.count(), Edit.objects.count()) == (0, 0, 0)
    assert GenerationLog.objects.get(pk=log.pk).conversation is None


def test_who_may_not_delete_is_told_what_to_do_instead(anna: User) -> None:
    talk = a_talk()
    anna.user_permissions.set(permissions("change_conversation"))
    with pytest.raises(PermissionDenied, match="archive it instead"):
        editing.delete(talk, by=anna)
    assert Conversation.objects.exists()


def test_what_is_generated_or_waits_in_a_batch_stays(lead: User) -> None:
    generating = a_talk()
    put(generating, "generating", claim=uuid4(), claim_expires_at=timezone.now())
    with pytest.raises(editing.InUse, match="It is being generated"):
        editing.delete(generating, by=lead)
    waiting = BatchItemFactory(status="queued", job__name="Night").conversation
    with pytest.raises(editing.InUse, match="It waits in the batch “Night”: let that end, or cancel it first"):
        editing.delete(waiting, by=lead)
    assert Conversation.objects.count() == 2


def test_what_is_being_regenerated_stays_until_its_new_version_has_inherited_its_place(lead: User) -> None:
    template = PromptTemplateFactory()
    talk = a_talk(workspace=template.workspace, template=template)
    version = versions.prepare(talk, by=lead)
    put(version, "generating", claim=uuid4(), claim_expires_at=timezone.now())
    with pytest.raises(editing.InUse, match=rf"being regenerated: wait until {version} is done"):
        editing.delete(talk, by=lead)
    put(version, "failed", claim=None, claim_expires_at=None)
    editing.delete(talk, by=lead)
    assert not Conversation.objects.filter(pk=talk.pk).exists()


# --- No query for each turn or conversation -----------------------------------------------------------------


def test_creating_and_changing_ask_as_often_for_many_turns_as_for_two(workspace: Workspace) -> None:
    few = queries(lambda: a_talk(2, seed=1, workspace=workspace))
    many = queries(lambda: a_talk(16, seed=2, workspace=workspace))
    assert few == many
    two, sixteen = Conversation.objects.order_by("turn_count")
    few = queries(lambda: editing.update(two, {"turns": turns(4, seed=3)}, by=None))
    many = queries(lambda: editing.update(sixteen, {"turns": turns(18, seed=4)}, by=None))
    assert few == many


def test_beside_fifty_others_it_asks_as_often_as_alone(workspace: Workspace, lead: User) -> None:
    alone = a_talk(seed=1)
    for number in range(50):
        ConversationFactory(workspace=workspace, conversation_id=f"SCN-{number:04d}", turn_count=number)
    among_others = a_talk(seed=1, workspace=workspace)
    changes = {"turns": turns(seed=2), "title": "New"}
    assert queries(lambda: editing.update(alone, changes, by=None)) == queries(
        lambda: editing.update(among_others, changes, by=None)
    )
    assert queries(lambda: editing.delete(alone, by=lead)) == queries(lambda: editing.delete(among_others, by=lead))

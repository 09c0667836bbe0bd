"""Chains of versions: preparing the next one, what may be regenerated, and what the database guards."""

import json
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from conversations import coverage, versions
from conversations.exporting.export import export_conversations
from conversations.models import Conversation
from conversations.versions import CannotRegenerate, prepare
from convgen.tenancy import EVERY, workspace_scope
from tests.background import in_background, until_locks_are_waited_for
from tests.factories import (
    ChunkFactory,
    ConversationFactory,
    DimensionFactory,
    PromptTemplateFactory,
    TurnFactory,
    UserFactory,
    WorkspaceFactory,
)
from tests.statuses import put

pytestmark = pytest.mark.django_db


def a_written_one(**values: Any) -> Conversation:
    values = {"conversation_id": "TPL-0001", "status": "approved", "turn_count": 8, **values}
    made: Conversation = ConversationFactory(**values)
    return made


def written(version: Conversation, status: str = "generated") -> Conversation:
    """The version as it is once Claude has written it: its parent is archived."""
    versions.supersede(version)
    put(version, status, turn_count=8)
    version.refresh_from_db()
    return version


def as_stored(conversation: Conversation) -> dict[str, Any]:
    return Conversation.objects.filter(pk=conversation.pk).values().get()


# --- Preparing


def test_the_next_version_is_a_draft_made_as_the_original_was() -> None:
    chunk, by = ChunkFactory(), UserFactory()
    original = a_written_one(
        workspace=chunk.workspace,
        template__version=3,
        template_version=2,
        parameters={"city": "Oslo"},
        intent="Plan",
        tone="Warm",
        category="Saving",
        chunk=chunk,
        document=chunk.document,
        slot="a-slot",
        quality_score="7.5",
        title="A talk",
    )
    before = as_stored(original)
    draft = prepare(original, by=by)
    same = ("template_id", "tier", "category", "parameters", "persona", "emotion", "topic", "intent", "tone")
    for name in (*same, "chunk_id", "document_id", "workspace_id"):
        assert getattr(draft, name) == getattr(original, name), name
    assert (draft.conversation_id, draft.version, draft.status) == ("TPL-0001-v2", 2, "draft")
    assert (draft.parent, draft.parent_type, draft.created_by) == (original, "regeneration", by)
    assert draft.template_version == 3, "the template as it is now"
    assert (draft.slot, draft.title, draft.quality_score, draft.turn_count) == ("", "", None, 0)
    assert as_stored(original) == before


def test_changes_replace_what_they_name() -> None:
    original = a_written_one(parameters={"city": "Oslo", "age": 41})
    chunk = ChunkFactory(document__workspace=original.workspace)
    draft = prepare(original, {"parameters": {"city": "Bergen"}, "emotion": "Hopeful", "chunk": chunk})
    assert (draft.parameters, draft.emotion, draft.persona) == ({"city": "Bergen"}, "Hopeful", original.persona)
    assert (draft.chunk, draft.document) == (chunk, chunk.document)
    assert as_stored(original)["parameters"] == {"city": "Oslo", "age": 41}


def test_what_cannot_be_changed_is_named() -> None:
    with pytest.raises(ValueError, match=r"Not to be changed: status, tier\. These are: parameters, persona"):
        prepare(a_written_one(), {"status": "approved", "tier": "scenario"})


@pytest.mark.parametrize("status", ["draft", "failed"])
def test_a_regeneration_that_came_to_nothing_is_taken_up_again(status: str) -> None:
    original, second = a_written_one(parameters={"city": "Oslo"}), UserFactory()
    first = prepare(original, {"parameters": {"city": "Bergen"}, "emotion": "Hopeful"}, by=UserFactory())
    put(first, status)
    again = prepare(original, {"emotion": "Calm"}, by=second)
    assert again.pk == first.pk
    assert (again.parameters, again.emotion, again.created_by) == ({"city": "Bergen"}, "Calm", second)
    assert versions.chain(original).starting_point.emotion == "Calm"


def test_versions_are_numbered_on_and_keep_the_stem_of_the_id() -> None:
    second = written(prepare(a_written_one()))
    third = prepare(second)
    assert (third.conversation_id, third.version, third.parent) == ("TPL-0001-v3", 3, second)
    assert third.first_version == second.first_version == second.parent_id


def test_a_readable_id_that_is_somebody_elses_is_left_out() -> None:
    original = a_written_one()
    ConversationFactory(workspace=original.workspace, conversation_id="TPL-0001-v2")
    assert prepare(original).conversation_id == "TPL-0001-v3"


def test_a_long_readable_id_keeps_to_its_column() -> None:
    draft = prepare(a_written_one(conversation_id="X" * 40))
    assert draft.conversation_id == "X" * 37 + "-v2"


# --- What may be regenerated


@pytest.mark.parametrize(
    "status", ["generated", "pending_review", "needs_revision", "approved", "rejected", "archived"]
)
def test_the_end_of_a_chain_may_be_regenerated_whatever_was_decided(status: str) -> None:
    assert prepare(a_written_one(status=status)).status == "draft"


@pytest.mark.parametrize(
    ("status", "what_to_do"),
    [
        ("draft", "still a draft: change its parameters on its page, and generate it"),
        ("failed", "generate it again"),
        ("generating", "wait until it is done"),
        ("archived", "there is nothing to regenerate"),
    ],
)
def test_what_was_never_written_is_refused_with_what_to_do(status: str, what_to_do: str) -> None:
    unwritten = a_written_one(status="draft", turn_count=0)
    put(unwritten, status, claim=unwritten.pk if status == "generating" else None)
    with pytest.raises(CannotRegenerate, match=f"TPL-0001 .*{what_to_do}"):
        prepare(Conversation.objects.get(pk=unwritten.pk))
    assert Conversation.objects.count() == 1


def test_the_middle_of_a_chain_is_refused_and_the_current_version_named() -> None:
    first = a_written_one()
    third = written(prepare(written(prepare(first))))
    for earlier in (first, third.parent):
        with pytest.raises(
            CannotRegenerate,
            match=rf"{earlier} has been regenerated already; its current version is TPL-0001-v3: regenerate that one\.",
        ):
            prepare(earlier)
    assert Conversation.objects.count() == 3


def test_one_that_is_being_regenerated_is_refused() -> None:
    original = a_written_one()
    draft = prepare(original)
    put(draft, "generating", claim=draft.pk)
    with pytest.raises(CannotRegenerate, match=r"TPL-0001 is being regenerated at this moment: .*TPL-0001-v2"):
        prepare(original)


def test_one_whose_template_was_deleted_is_refused() -> None:
    original = a_written_one()
    original.template.delete()
    with pytest.raises(CannotRegenerate, match="The template of TPL-0001 was deleted"):
        prepare(original)


def test_one_that_was_deleted_meanwhile_is_refused() -> None:
    original = a_written_one()
    Conversation.objects.filter(pk=original.pk).delete()
    with pytest.raises(CannotRegenerate, match="TPL-0001 has been deleted"):
        prepare(original)


def test_a_version_given_up_before_it_was_written_leaves_its_place_to_another() -> None:
    original = a_written_one()
    put(prepare(original), "archived")
    another = prepare(original)
    assert (another.conversation_id, another.parent) == ("TPL-0001-v3", original)
    given_up = Conversation.objects.get(conversation_id="TPL-0001-v2")
    with pytest.raises(CannotRegenerate, match=r"TPL-0001-v2 was given up .* the current version, TPL-0001"):
        prepare(given_up)


# --- Chains


def test_a_chain_goes_from_the_first_version_to_the_one_under_way() -> None:
    first = a_written_one()
    second = written(prepare(first))
    third = prepare(second)
    for member in (first, second, third):
        found = versions.chain(member)
        assert [str(one) for one in found.versions] == ["TPL-0001", "TPL-0001-v2", "TPL-0001-v3"]
        assert (found.current, found.under_way) == (second, third)
        assert versions.current(member) == second


def test_a_conversation_that_was_never_regenerated_is_a_chain_of_its_own() -> None:
    draft = ConversationFactory()
    found = versions.chain(draft)
    assert (found.versions, found.current, found.under_way) == ([draft], draft, None)


def test_a_chain_is_read_in_one_query_however_long_it_is() -> None:
    newest = a_written_one()
    for _version in range(4):
        newest = written(prepare(newest))
    with CaptureQueriesContext(connection) as captured:
        found = versions.chain(newest)
        assert found.current == newest
        assert [version.parent_id for version in found.versions[1:]] == [one.pk for one in found.versions[:-1]]
    assert len(captured) == 1


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_the_rest_of_a_chain_stays_one_when_a_version_is_deleted(gone: int) -> None:
    first = a_written_one()
    second = written(prepare(first))
    third = written(prepare(second))
    deleted = [first, second, third].pop(gone)
    left = [one for one in (first, second, third) if one.pk != deleted.pk]
    deleted.delete()
    for member in left:
        member.refresh_from_db()
        found = versions.chain(member)
        assert [(one.conversation_id, one.version) for one in found.versions] == [
            (one.conversation_id, one.version) for one in left
        ]
        assert found.current.pk == left[-1].pk
    with pytest.raises(CannotRegenerate, match=f"its current version is {left[-1]}"):
        prepare(left[0])
    following = prepare(left[-1])
    assert following.version == left[-1].version + 1


def test_a_version_is_found_by_its_readable_id_however_it_is_capitalised() -> None:
    version = prepare(a_written_one())
    for typed in ("TPL-0001-v2", "tpl-0001-v2", "TPL-0001-V2 "):
        assert Conversation.objects.named(typed).get() == version


# --- What the database guards


def _version_of(original: Conversation, **values: Any) -> Conversation:
    version = {"version": 2, "parent": original, "first_version": original.pk, **values}
    made: Conversation = ConversationFactory(workspace=original.workspace, template=original.template, **version)
    return made


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"version": 3}, "conversation_one_successor"),
        ({"parent": None}, "conversation_version_once"),
        ({"version": 1}, "conversation_first_version"),
        ({"version": 3, "first_version": None}, "conversation_first_version"),
        ({"version": 3, "status": "generated"}, "one_current_version"),
    ],
)
def test_the_database_refuses_a_chain_that_branches(values: dict[str, Any], rule: str) -> None:
    original = a_written_one()
    _version_of(original)
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        _version_of(original, **values)


def test_the_database_refuses_a_second_current_version() -> None:
    original = a_written_one()
    draft = prepare(original)
    put(draft, "generating", claim=draft.pk)
    finished = Conversation.objects.filter(pk=draft.pk)
    with pytest.raises(IntegrityError, match="has to be archived first"), transaction.atomic():
        finished.update(status="generated", claim=None)
    Conversation.objects.filter(pk=original.pk).update(status="archived")
    assert finished.update(status="generated", claim=None) == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_prepare_at_the_same_moment_the_second_takes_up_the_firsts_draft() -> None:
    original = a_written_one()
    made: list[Conversation] = []

    def second() -> None:
        with workspace_scope(EVERY):
            made.append(prepare(original, {"emotion": "Calm"}))

    with transaction.atomic():
        first = prepare(original)
        thread = in_background(second)
        until_locks_are_waited_for()
    thread.join(timeout=10)
    assert [one.pk for one in made] == [first.pk]
    assert Conversation.objects.count() == 2


# --- Taking the place of the former version


def test_the_former_version_is_archived_and_its_history_says_by_what() -> None:
    original = a_written_one(quality_score="7.5", review_history=[{"decision": "approve"}], slot="a-slot")
    draft = prepare(original, by=UserFactory(username="mona"))
    versions.supersede(draft)
    original.refresh_from_db()
    draft.refresh_from_db()
    assert (original.status, draft.slot) == ("archived", "a-slot")
    entry = original.review_history[1]
    assert {**entry, "at": ""} == {
        "at": "",
        "by": "mona",
        "by_id": str(draft.created_by_id),
        "decision": "superseded",
        "note": "Regenerated as TPL-0001-v2.",
        "score": 7.5,
    }


@pytest.mark.parametrize("status", ["archived", "rejected"])
def test_a_slot_that_was_filled_anew_meanwhile_stays_with_whoever_has_it(status: str) -> None:
    original = a_written_one(status=status, slot="a-slot")
    draft = prepare(original)
    filled = ConversationFactory(workspace=original.workspace, template=original.template, slot="a-slot")
    versions.supersede(draft)
    draft.refresh_from_db()
    filled.refresh_from_db()
    assert (draft.slot, filled.slot) == ("", "a-slot")


@pytest.mark.parametrize("status", ["archived", "rejected"])
def test_a_slot_that_is_free_again_is_filled_by_the_new_version(status: str) -> None:
    original = a_written_one(status=status, slot="a-slot")
    draft = prepare(original)
    versions.supersede(draft)
    draft.refresh_from_db()
    original.refresh_from_db()
    assert (draft.slot, original.status) == ("a-slot", "archived")


# --- The plan, lists and exports


@pytest.mark.parametrize("status", ["draft", "generating", "failed"])
def test_a_version_that_is_not_written_is_not_live_and_leaves_the_plan_as_it_is(status: str) -> None:
    workspace = WorkspaceFactory()
    template = PromptTemplateFactory(workspace=workspace, target_count=1)
    for kind in ("persona", "emotion", "topic"):
        DimensionFactory(workspace=workspace, kind=kind)
    (original,) = coverage.fill_gaps(workspace)
    put(original, "generated", turn_count=8)
    before = coverage.standing(workspace)
    draft = prepare(original)
    put(draft, status, claim=draft.pk if status == "generating" else None)
    assert coverage.standing(workspace) == before
    assert list(template.conversations.live()) == [original]  # type: ignore[attr-defined]
    coverage.recount(workspace)
    assert coverage.standing(workspace) == before
    assert coverage.gaps(workspace) == []


def test_a_version_that_is_written_is_counted_in_place_of_the_former() -> None:
    workspace = WorkspaceFactory()
    PromptTemplateFactory(workspace=workspace, target_count=1)
    for kind in ("persona", "emotion", "topic"):
        DimensionFactory(workspace=workspace, kind=kind)
    (original,) = coverage.fill_gaps(workspace)
    put(original, "generated", turn_count=8)
    before = coverage.standing(workspace)
    written(prepare(original))
    assert coverage.standing(workspace) == before
    coverage.recount(workspace)
    assert coverage.standing(workspace) == before
    assert coverage.gaps(workspace) == []


def test_an_export_takes_the_current_version_alone(tmp_path: Any) -> None:
    original = a_written_one()
    say(original, "Once.")
    draft = prepare(original)
    assert exported(original, tmp_path / "before.jsonl") == ["Once."]
    say(written(draft), "Anew.")
    assert exported(original, tmp_path / "after.jsonl") == ["Anew."]


def say(conversation: Conversation, answer: str) -> None:
    for position, (role, content) in enumerate([("user", "How often?"), ("assistant", answer)], start=1):
        TurnFactory(conversation=conversation, position=position, role=role, content=content)


def exported(original: Conversation, path: Any) -> list[str]:
    """What the assistant answers in each of the conversations exported."""
    export_conversations(original.workspace, path=path, scope="all")
    return [json.loads(line)["messages"][-1]["content"] for line in path.read_text().splitlines()]

"""The counts behind the coverage plan stay true, whoever writes, and nobody waits for them."""

import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings as project
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from conversations.choices import NOT_LIVE, DimensionKind, Status
from conversations.coverage import recount
from conversations.coverage.usage import ALL_GROUPS, KINDS, UsageByTemplate, conversations_by_chunk, usage_by_template
from conversations.models import Chunk, Conversation, CoverageChange, CoverageCount, PromptTemplate, Workspace
from conversations.models.coverage import FOLDED_AFTER
from convgen.tenancy import NOTHING, Scope, workspace_scope
from tests.background import in_background
from tests.factories import ChunkFactory, ConversationFactory, PromptTemplateFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db

SECONDS = 20  # that a test waits for another thread before it fails


@pytest.fixture
def workspace() -> Workspace:
    made: Workspace = WorkspaceFactory()
    return made


@pytest.fixture
def template(workspace: Workspace) -> PromptTemplate:
    made: PromptTemplate = PromptTemplateFactory(workspace=workspace)
    return made


@pytest.fixture
def conversation(template: PromptTemplate) -> Conversation:
    chunk = ChunkFactory(document__workspace=template.workspace)
    words = {"intent": "Ask", "tone": "Calm", "status": Status.GENERATED}
    made: Conversation = ConversationFactory(
        workspace=template.workspace, template=template, slot="a:1", chunk=chunk, **words
    )
    return made


def _truth(workspace: Workspace) -> UsageByTemplate:
    """What the live conversations use, one by one."""
    usages = UsageByTemplate()
    for one in Conversation.objects.filter(workspace=workspace).live():
        usages[one.template_id].add([(kind, getattr(one, kind)) for kind in KINDS if getattr(one, kind)])
        usages[one.template_id].filled += one.slot != ""
    return usages


def _known(usages: UsageByTemplate) -> dict[UUID | None, Any]:
    """Without what is not used at all."""
    seen = {key: ({group: n for group, n in usage.seen.items() if n}, usage.filled) for key, usage in usages.items()}
    return {key: usage for key, usage in seen.items() if usage != ({}, 0)}


def _assert_true(workspace: Workspace) -> None:
    assert _known(usage_by_template(workspace, ALL_GROUPS)) == _known(_truth(workspace))
    for chunk in Chunk.objects.filter(workspace=workspace):
        live = Conversation.objects.filter(chunk=chunk).live().count()
        assert conversations_by_chunk(workspace, [chunk.pk])[chunk.pk] == live


def _fold(workspace: Workspace) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coverage_fold(%s)", [workspace.pk])


def _execute(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def _copy_in_sql(one: Conversation) -> None:
    fields = [field for field in Conversation._meta.concrete_fields if not field.generated]
    columns = ", ".join(field.column for field in fields if field.name not in ("id", "conversation_id", "slot"))
    _execute(
        f"INSERT INTO conversations_conversation (id, conversation_id, slot, {columns}) "
        f"SELECT gen_random_uuid(), 'COPY', 'b:1', {columns} FROM conversations_conversation WHERE id = %s",
        one.pk,
    )


# --- every way to write -------------------------------------------------------------------------------------

WRITES: dict[str, Callable[[Conversation], Any]] = {
    "another is created": lambda one: ConversationFactory(workspace=one.workspace, template=one.template, topic="New"),
    "many are created at once": lambda one: Conversation.objects.bulk_create(
        Conversation(
            workspace=one.workspace, conversation_id=f"B-{n}", tier="template", persona=f"P{n % 3}", slot=f"{n}"
        )
        for n in range(10)
    ),
    "one is copied in SQL": _copy_in_sql,
    "one is saved with other words": lambda one: (setattr(one, "emotion", "Hopeful"), one.save()),
    "one is archived": lambda one: Conversation.objects.filter(pk=one.pk).update(status=Status.ARCHIVED),
    "one is rejected in SQL": lambda one: _execute(
        "UPDATE conversations_conversation SET status = 'rejected' WHERE id = %s", one.pk
    ),
    "one leaves its place": lambda one: Conversation.objects.filter(pk=one.pk).update(slot=""),
    "one loses its words": lambda one: Conversation.objects.filter(pk=one.pk).update(**dict.fromkeys(KINDS, "")),
    "one gets another template": lambda one: Conversation.objects.filter(pk=one.pk).update(
        template=PromptTemplateFactory(workspace=one.workspace)
    ),
    "one is deleted": lambda one: one.delete(),
    "all are deleted": lambda one: Conversation.objects.filter(workspace=one.workspace).delete(),
    "its template is deleted": lambda one: one.template and one.template.delete(),
    "its source is deleted": lambda one: one.document and one.document.delete(),
    "its chunk is deleted": lambda one: one.chunk and one.chunk.delete(),
}


@pytest.mark.parametrize("folded", [False, True], ids=["not yet counted", "counted"])
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_the_counts_stay_true_when(
    write: Callable[[Conversation], Any], folded: bool, conversation: Conversation
) -> None:
    ConversationFactory(workspace=conversation.workspace, template=conversation.template, emotion="Calm")
    if folded:
        _fold(conversation.workspace)
    write(conversation)
    _assert_true(conversation.workspace)
    _fold(conversation.workspace)
    _assert_true(conversation.workspace)


@pytest.mark.parametrize("kind", DimensionKind.values)
def test_the_counts_stay_true_when_a_word_changes(kind: str, conversation: Conversation) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(**{kind: "Another"})
    _assert_true(conversation.workspace)
    assert usage_by_template(conversation.workspace, ALL_GROUPS)[conversation.template_id].seen[((kind, "Another"),)]


@pytest.mark.parametrize("status", [status for status in Status if status != Status.GENERATING])
def test_what_is_live_is_counted_and_nothing_else(status: Status, template: PromptTemplate) -> None:
    ConversationFactory(workspace=template.workspace, template=template, status=status)
    number = usage_by_template(template.workspace, ALL_GROUPS)[template.pk].seen[()]
    assert number == (0 if status in NOT_LIVE else 1)


def test_a_conversation_that_moves_to_another_workspace_is_counted_there(conversation: Conversation) -> None:
    home, away = conversation.workspace, WorkspaceFactory()
    _execute("DELETE FROM conversations_searchdocument WHERE conversation_id = %s", conversation.pk)  # it would hold it
    Conversation.objects.filter(pk=conversation.pk).update(workspace=away, template=None, chunk=None, document=None)
    _assert_true(home)
    _assert_true(away)
    assert usage_by_template(away, ALL_GROUPS)[None].seen[()] == 1


def test_a_workspace_that_is_deleted_leaves_no_counts(conversation: Conversation) -> None:
    _fold(conversation.workspace)
    ConversationFactory(workspace=conversation.workspace)
    conversation.workspace.delete()
    assert not CoverageCount.objects.exists()
    assert not CoverageChange.objects.exists()


def test_what_nobody_uses_any_more_has_no_row(conversation: Conversation) -> None:
    _fold(conversation.workspace)
    assert CoverageCount.objects.count() == 18  # all, 5 values, 10 pairs, the combination, and its chunk
    Conversation.objects.update(status=Status.ARCHIVED)
    _fold(conversation.workspace)
    assert not CoverageCount.objects.exists()


def test_generating_a_conversation_changes_no_count(template: PromptTemplate) -> None:
    draft = ConversationFactory(workspace=template.workspace, template=template)
    _fold(template.workspace)
    one = Conversation.objects.filter(pk=draft.pk)
    one.update(status=Status.GENERATING, claim=draft.pk)
    one.update(status=Status.PENDING_REVIEW, claim=None, title="Rent first", turn_count=8)
    one.update(status=Status.APPROVED)
    assert not CoverageChange.objects.exists()


def test_many_changes_are_summed_up_by_themselves(template: PromptTemplate) -> None:
    number = 2 * FOLDED_AFTER
    Conversation.objects.bulk_create(
        Conversation(
            workspace=template.workspace, template=template, conversation_id=f"{n}", tier="template", topic=f"Topic {n}"
        )
        for n in range(number)
    )
    assert CoverageChange.objects.count() == 0
    assert CoverageCount.objects.get(size=0).conversations == number


@pytest.mark.parametrize("seed", range(4))
def test_the_counts_stay_true_over_any_sequence_of_writes(seed: int, workspace: Workspace) -> None:
    chance = random.Random(seed)
    PromptTemplateFactory.create_batch(2, workspace=workspace)
    ChunkFactory.create_batch(2, document__workspace=workspace)
    for number in range(60):
        _write_something(chance, workspace, number)
        if number % 10 == 9:
            _assert_true(workspace)
    recount(workspace)
    _assert_true(workspace)


def _write_something(chance: random.Random, workspace: Workspace, number: int) -> None:
    templates = [*PromptTemplate.objects.filter(workspace=workspace), None]
    words = {kind: chance.choice(["", "One", "Two"]) for kind in KINDS}
    words["template"] = chance.choice(templates)
    words["chunk"] = chance.choice([*Chunk.objects.filter(workspace=workspace), None])
    keys = list(Conversation.objects.filter(workspace=workspace).values_list("pk", flat=True))
    some = Conversation.objects.filter(pk__in=chance.sample(keys, min(len(keys), chance.randint(0, 4))))
    match chance.choice(["create", "create", "change", "change", "archive", "delete", "fold"]):
        case "create":
            words["slot"] = chance.choice(["", f"slot {number}"])
            words["status"] = chance.choice(["draft", "archived", "approved"])
            ConversationFactory(workspace=workspace, tier="template", conversation_id=f"{number}", **words)
        case "change":
            some.update(**words)
        case "archive":
            some.update(status=Status.ARCHIVED)
        case "delete":
            some.delete()
        case "fold":
            _fold(workspace)


# --- counted anew -------------------------------------------------------------------------------------------


def test_a_recount_mends_what_was_changed_behind_the_triggers_back(conversation: Conversation) -> None:
    _fold(conversation.workspace)
    CoverageCount.objects.update(conversations=7, places=7)
    CoverageCount.objects.filter(size=2).delete()
    recount(conversation.workspace)
    _assert_true(conversation.workspace)
    assert CoverageChange.objects.count() == 0


def test_a_recount_leaves_other_workspaces_alone(conversation: Conversation) -> None:
    CoverageChange.objects.update(conversations=7)
    recount(WorkspaceFactory())
    assert CoverageChange.objects.get().conversations == 7


def test_an_upgrade_counts_the_conversations_of_every_workspace(conversation: Conversation) -> None:
    other = ConversationFactory()
    CoverageChange.objects.all().delete()
    with workspace_scope(NOTHING):  # as migrations run
        _execute((Path(project.BASE_DIR) / "conversations/sql/coverage_fill.sql").read_text())
    _assert_true(conversation.workspace)
    _assert_true(other.workspace)


# --- whose they are -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["another", "none"])
def test_counts_and_changes_are_seen_in_their_workspace_alone(whose: str, conversation: Conversation) -> None:
    _fold(conversation.workspace)
    ConversationFactory(workspace=conversation.workspace, template=conversation.template)
    elsewhere: Scope = WorkspaceFactory().pk if whose == "another" else NOTHING
    with workspace_scope(elsewhere):
        assert not CoverageCount.objects.exists()
        assert not CoverageChange.objects.exists()
        assert usage_by_template(conversation.workspace, ALL_GROUPS) == {}
    with workspace_scope(conversation.workspace_id):
        assert CoverageCount.objects.exists() and CoverageChange.objects.exists()


def test_a_change_is_not_written_into_another_workspace(workspace: Workspace) -> None:
    change = CoverageChange(workspace=workspace, conversations=1, places=0)
    with (
        workspace_scope(WorkspaceFactory().pk),
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction.atomic(),
    ):
        change.save()


# --- at the same time ---------------------------------------------------------------------------------------


def _drafts(template: PromptTemplate, number: int) -> list[UUID]:
    return [ConversationFactory(workspace=template.workspace, template=template).pk for _ in range(number)]


def _archive(key: UUID) -> None:
    Conversation.objects.filter(pk=key).update(status=Status.ARCHIVED)


@pytest.mark.django_db(transaction=True)
def test_two_who_archive_overlapping_sets_never_wait_for_each_others_counts(template: PromptTemplate) -> None:
    """One archives 0 and 2, the other 2 alone, each in one transaction. Were counts locked, each would wait."""
    workspace, keys = template.workspace, _drafts(template, 3)
    first_began, second_archived = threading.Event(), threading.Event()

    def second() -> None:
        with workspace_scope(workspace.pk), transaction.atomic():
            assert first_began.wait(SECONDS)
            _archive(keys[2])  # while the first has not committed what it archived
            _fold(workspace)
            second_archived.set()

    thread = in_background(second)
    with transaction.atomic():
        _archive(keys[0])
        _fold(workspace)
        first_began.set()
        assert second_archived.wait(SECONDS)
        _archive(keys[2])  # waits until the second has committed
    thread.join()
    _assert_true(workspace)
    assert usage_by_template(workspace, ALL_GROUPS)[template.pk].seen[()] == 1


@pytest.mark.django_db(transaction=True)
def test_what_others_change_during_a_recount_is_counted_once(template: PromptTemplate) -> None:
    workspace, keys = template.workspace, _drafts(template, 4)
    _archive(keys[0])
    archived, recounted = threading.Event(), threading.Event()

    def other() -> None:
        with workspace_scope(workspace.pk):
            with transaction.atomic():
                _archive(keys[1])
                archived.set()
                assert recounted.wait(SECONDS)  # it commits after the recount has begun
            _archive(keys[2])

    thread = in_background(other)
    assert archived.wait(SECONDS)
    with transaction.atomic():
        recount(workspace)
        recounted.set()
        thread.join()
    _assert_true(workspace)
    _fold(workspace)
    _assert_true(workspace)


@pytest.mark.django_db(transaction=True)
def test_what_many_write_at_once_adds_up(template: PromptTemplate) -> None:
    workspace, keys = template.workspace, _drafts(template, 60)

    def work(number: int) -> None:
        with workspace_scope(workspace.pk):
            for position, key in enumerate(keys[number::3]):
                Conversation.objects.filter(pk=key).update(topic=f"Topic {number}")
                if position % 2:
                    _archive(key)
                _fold(workspace)

    threads = [in_background(work, number) for number in range(3)]
    for thread in threads:
        thread.join()
    _assert_true(workspace)
    assert usage_by_template(workspace, ALL_GROUPS)[template.pk].seen[(("topic", "Topic 0"),)] == 10

"""Training files: valid, whole, and of exactly the conversations that were asked for."""

import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.choices import WITH_TURNS, Status
from conversations.exporting import ExportError, export, export_conversations
from conversations.models import Conversation, Export, Turn, Workspace
from tests.factories import ConversationFactory, PromptTemplateFactory, TurnFactory, UserFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db

SYSTEM = "You are a planner."


@pytest.fixture
def workspace() -> Workspace:
    workspace: Workspace = WorkspaceFactory(training_system_prompt=SYSTEM)
    return workspace


def _made(workspace: Workspace, said: tuple[str, ...] = ("Hello?", "Hello."), **values: Any) -> Conversation:
    """A conversation with turns of user and assistant, approved unless told otherwise."""
    made: Conversation = ConversationFactory(workspace=workspace, **{"status": Status.APPROVED, **values})
    for position, content in enumerate(said, start=1):
        role = "user" if position % 2 else "assistant"
        TurnFactory(conversation=made, position=position, role=role, content=content)
    return made


def _examples(path: Path) -> list[dict[str, Any]]:
    """The file's lines, each held against OpenAI's format for chat fine-tuning."""
    raw = path.read_bytes()
    assert raw.endswith(b"\n")
    assert not raw.startswith(b"\xef\xbb\xbf")
    examples = [json.loads(line) for line in raw.decode("utf-8").split("\n")[:-1]]
    for example in examples:
        _check(example)
    return examples


def _check(example: Any) -> None:
    assert set(example) == {"messages"}
    messages = example["messages"]
    assert all(set(message) == {"role", "content"} for message in messages)
    assert all(isinstance(message["content"], str) and message["content"].strip() for message in messages)
    roles = [message["role"] for message in messages]
    spoken = roles[1:] if roles[0] == "system" else roles
    assert len(spoken) >= 2
    assert spoken == ["user", "assistant"] * (len(spoken) // 2)


# --- the file ---------------------------------------------------------------------------------------------


def test_each_conversation_is_one_line_with_the_system_message_first(workspace: Workspace, tmp_path: Path) -> None:
    _made(workspace, ("Where do I begin?", "With rent.", "And then?", "With groceries."), conversation_id="TPL-0001")
    _made(workspace, ("Éà日本 “😀”\nnew line", "Line\u2028separator"), conversation_id="TPL-0002")
    path = tmp_path / "training.jsonl"
    exported = export_conversations(workspace, path=path)
    first, second = _examples(path)
    assert first["messages"] == [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": "Where do I begin?"},
        {"role": "assistant", "content": "With rent."},
        {"role": "user", "content": "And then?"},
        {"role": "assistant", "content": "With groceries."},
    ]
    assert [message["content"] for message in second["messages"][1:]] == [
        "Éà日本 “😀”\nnew line",
        "Line\u2028separator",
    ]
    assert "Éà日本" in path.read_text(encoding="utf-8")  # readable, not escaped
    assert exported.skipped == {}


def test_a_workspace_without_a_system_prompt_has_no_system_message(tmp_path: Path) -> None:
    silent = WorkspaceFactory(training_system_prompt="")
    _made(silent)
    export_conversations(silent, path=tmp_path / "training.jsonl")
    (example,) = _examples(tmp_path / "training.jsonl")
    assert [message["role"] for message in example["messages"]] == ["user", "assistant"]


def test_turns_come_in_their_order_whenever_they_were_written(workspace: Workspace, tmp_path: Path) -> None:
    made = _made(workspace, ())
    for position, role, content in [(2, "assistant", "Second."), (1, "user", "First?")]:
        TurnFactory(conversation=made, position=position, role=role, content=content)
    export_conversations(workspace, path=tmp_path / "training.jsonl")
    (example,) = _examples(tmp_path / "training.jsonl")
    assert [message["content"] for message in example["messages"]] == [SYSTEM, "First?", "Second."]


# --- which conversations ----------------------------------------------------------------------------------


def test_only_approved_ones_are_exported_unless_told_otherwise(workspace: Workspace, tmp_path: Path) -> None:
    for status in (*WITH_TURNS, Status.ARCHIVED, Status.REJECTED, Status.FAILED, Status.DRAFT):
        _made(workspace, (f"I am {status}", "Hello."), status=status)
    path = tmp_path / "training.jsonl"

    def said() -> set[str]:
        return {example["messages"][1]["content"] for example in _examples(path)}

    export_conversations(workspace, path=path)
    assert said() == {"I am approved"}
    export_conversations(workspace, path=path, scope=Status.PENDING_REVIEW)
    assert said() == {"I am pending_review"}
    export_conversations(workspace, path=path, scope="all")
    assert said() == {f"I am {status}" for status in WITH_TURNS}


@pytest.mark.parametrize("scope", ["draft", "archived", "everything", ""])
def test_a_status_without_turns_is_refused(workspace: Workspace, tmp_path: Path, scope: str) -> None:
    _made(workspace)
    with pytest.raises(ExportError, match=r"The status must be one of all, generated, .*approved, not"):
        export_conversations(workspace, path=tmp_path / "training.jsonl", scope=scope)


def test_simulated_ones_are_refused_unless_named(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "training.jsonl"
    _made(workspace, simulated=True)
    _made(workspace, simulated=True)
    with pytest.raises(
        ExportError,
        match=r"^All 2 approved conversations are simulated, and would be exported only if you include .* ones\.$",
    ):
        export_conversations(workspace, path=path)
    assert list(tmp_path.iterdir()) == []
    exported = export_conversations(workspace, path=path, include_simulated=True)
    assert len(_examples(path)) == 2
    assert exported.filters == {"include_simulated": True}


def test_simulated_ones_stay_out_beside_real_ones(workspace: Workspace, tmp_path: Path) -> None:
    _made(workspace, ("Simulated?", "Yes."), simulated=True)
    _made(workspace, ("Real?", "Yes."))
    export_conversations(workspace, path=tmp_path / "training.jsonl")
    (example,) = _examples(tmp_path / "training.jsonl")
    assert example["messages"][1]["content"] == "Real?"


def test_when_there_is_nothing_it_says_what_else_could_be_chosen(workspace: Workspace, tmp_path: Path) -> None:
    _made(workspace, status=Status.GENERATED)
    with pytest.raises(
        ExportError, match=r"There are no approved conversations to export. Choose other ones: all, generated, "
    ):
        export_conversations(workspace, path=tmp_path / "training.jsonl")


def test_another_workspaces_conversations_never_appear(workspace: Workspace, tmp_path: Path) -> None:
    other = WorkspaceFactory(training_system_prompt="Of the other.")
    _made(other, ("A secret?", "Yes."))
    path = tmp_path / "training.jsonl"
    with pytest.raises(ExportError, match="There are no conversations to export"):
        export_conversations(workspace, path=path, scope="all", include_simulated=True)
    _made(workspace, ("Mine?", "Yes."))
    export_conversations(workspace, path=path, scope="all", include_simulated=True)
    (example,) = _examples(path)
    assert [message["content"] for message in example["messages"]] == [SYSTEM, "Mine?", "Yes."]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ((), "it does not end with the assistant"),
        (("Only a question?",), "it does not end with the assistant"),
        (("Hello?", " \n"), "a turn is empty"),
    ],
)
def test_invalid_ones_are_skipped_and_named(
    workspace: Workspace, tmp_path: Path, said: tuple[str, ...], why: str
) -> None:
    _made(workspace, conversation_id="TPL-0001")
    _made(workspace, said, conversation_id="TPL-0002")
    exported = export_conversations(workspace, path=tmp_path / "training.jsonl")
    assert len(_examples(tmp_path / "training.jsonl")) == 1
    assert exported.skipped == {"TPL-0002": why}
    assert exported.conversation_count == 1


@pytest.mark.parametrize("roles", [["assistant", "user", "assistant"], ["user", "user", "assistant"]])
def test_roles_that_do_not_alternate_are_no_example(workspace: Workspace, tmp_path: Path, roles: list[str]) -> None:
    made = _made(workspace, (), conversation_id="TPL-0009")
    for position, role in enumerate(roles, start=1):
        TurnFactory(conversation=made, position=position, role=role)
    with pytest.raises(ExportError, match=r"None of the 1 conversations is a valid example; nothing was written\."):
        export_conversations(workspace, path=tmp_path / "training.jsonl")
    assert list(tmp_path.iterdir()) == []
    assert not Export.objects.exists()


# --- whole or not at all ----------------------------------------------------------------------------------


def test_a_place_that_cannot_be_written_is_told_in_words(workspace: Workspace, tmp_path: Path) -> None:
    _made(workspace)
    (tmp_path / "file").write_text("not a folder")
    path = tmp_path / "file" / "training.jsonl"
    with pytest.raises(ExportError, match=r"training.jsonl cannot be written: (Not a directory|File exists)\."):
        export_conversations(workspace, path=path)
    assert not Export.objects.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_closed_to_us_is_told_in_words(workspace: Workspace, tmp_path: Path) -> None:
    _made(workspace)
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(ExportError, match="cannot be written: Permission denied"):
        export_conversations(workspace, path=tmp_path / "closed" / "training.jsonl")


def test_a_folder_in_the_files_place_is_told_in_words(workspace: Workspace, tmp_path: Path) -> None:
    _made(workspace)
    (tmp_path / "training.jsonl").mkdir()
    with pytest.raises(ExportError, match="cannot be written: Is a directory"):
        export_conversations(workspace, path=tmp_path / "training.jsonl")
    assert [entry.name for entry in tmp_path.iterdir()] == ["training.jsonl"]


@contextmanager
def _files_no_longer_than(size: int) -> Iterator[None]:
    """As on a full disk: what is written beyond the size fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_fills_in_the_middle_leaves_the_former_file_whole(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "training.jsonl"
    path.write_text("the former file\n")
    for _ in range(5):
        _made(workspace, ("Hello?", "word " * 10_000))
    with _files_no_longer_than(100_000), pytest.raises(ExportError, match="cannot be written: File too large"):
        export_conversations(workspace, path=path)
    assert path.read_text() == "the former file\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["training.jsonl"]
    assert not Export.objects.exists()


def test_a_former_file_is_replaced(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "training.jsonl"
    _made(workspace, ("One?", "Yes."))
    export_conversations(workspace, path=path)
    _made(workspace, ("Two?", "Yes."))
    export_conversations(workspace, path=path)
    assert len(_examples(path)) == 2
    assert [entry.name for entry in path.parent.iterdir()] == ["training.jsonl"]


# --- the record -------------------------------------------------------------------------------------------


def test_every_export_is_recorded(workspace: Workspace, tmp_path: Path) -> None:
    _made(workspace)
    _made(workspace)
    curator = UserFactory()
    path = tmp_path / "training.jsonl"
    export_conversations(workspace, path=path, created_by=curator)
    record = Export.objects.get()
    assert (record.workspace, record.created_by, record.format) == (workspace, curator, "openai")
    assert (record.scope, record.filters) == ("approved", {"include_simulated": False})
    assert (record.conversation_count, record.byte_count) == (2, path.stat().st_size)
    assert (record.status, record.file) == ("completed", str(path))


# --- many -------------------------------------------------------------------------------------------------


def _many(workspace: Workspace, count: int) -> None:
    template = PromptTemplateFactory(workspace=workspace)
    made = ConversationFactory.build_batch(count, workspace=workspace, template=template, status=Status.APPROVED)
    Conversation.objects.bulk_create(made)
    Turn.objects.bulk_create(
        Turn(workspace=workspace, conversation=one, position=position, role=role, content="Well.")
        for one in made
        for position, role in enumerate(("user", "assistant"), start=1)
    )


def _turn_queries(workspace: Workspace, path: Path) -> tuple[int, int]:
    """How often turns were asked for, and all queries."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        export_conversations(workspace, path=path)
    asked = [query["sql"] for query in captured if 'FROM "conversations_turn"' in query["sql"]]
    return len(asked), len(captured)


def test_turns_are_fetched_for_500_conversations_at_a_time(workspace: Workspace, tmp_path: Path) -> None:
    assert export.AT_ONCE == 500
    _many(workspace, 10)
    few_turns, few = _turn_queries(workspace, tmp_path / "few.jsonl")
    _many(workspace, 1_010)
    many_turns, many = _turn_queries(workspace, tmp_path / "many.jsonl")
    assert len(_examples(tmp_path / "many.jsonl")) == 1_020
    assert (few_turns, many_turns) == (1, 3)
    assert many - few == 2

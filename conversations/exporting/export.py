"""One export: choose, write beside, put in place, record."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.db.models import Prefetch

from conversations.choices import ExportFormat, ExportStatus, Status
from conversations.exporting import openai
from conversations.exporting.choice import CHOSEN, SCOPES, Choice, ExportError
from conversations.models import Export, Turn, Workspace
from conversations.models.conversation_queries import ConversationQuerySet

FORMATS = {ExportFormat.OPENAI: openai}
AT_ONCE = 500  # conversations in memory


class FileRefused(ExportError):
    """The file cannot be written. `reason` says why, and not where."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"{path} cannot be written: {error.strerror}.")
        self.reason = f"The file cannot be written: {error.strerror}."


def export_conversations(
    workspace: Workspace,
    *,
    path: Path,
    file_format: str = ExportFormat.OPENAI,
    scope: str = Status.APPROVED,
    include_simulated: bool = False,
    created_by: Any = None,
) -> Export:
    """Write the conversations of `scope` (a status, or "all" that have turns) to `path`; the record of it.

    Simulated conversations stay out unless asked for. The file appears whole or not at all. Raises `ExportError`.
    """
    choice = Choice.of_statuses([scope], include_simulated=include_simulated)
    return export_choice(workspace, choice, path=path, file_format=file_format, created_by=created_by)


def export_choice(
    workspace: Workspace,
    choice: Choice,
    *,
    path: Path,
    file_format: str = ExportFormat.OPENAI,
    created_by: Any = None,
) -> Export:
    """The same for a choice of several statuses, a tier, or conversations one by one."""
    chosen = choice.conversations(workspace).order_by("conversation_id")
    if not chosen.exists():
        raise ExportError(_nothing(choice, simulated=choice.count(workspace).left_out))
    skipped: dict[str, str] = {}
    count = _write(path, _lines(chosen, workspace, file_format, skipped), skipped)
    named = list(chosen.values_list("conversation_id", flat=True)) if choice.scope == CHOSEN else []
    return Export.objects.create(
        workspace=workspace,
        created_by=created_by,
        format=file_format,
        scope=choice.scope,
        filters=choice.as_json(named),
        conversation_count=count,
        skipped=skipped,
        byte_count=path.stat().st_size,
        status=ExportStatus.COMPLETED,
        file=str(path),
    )


def _nothing(choice: Choice, *, simulated: int) -> str:
    named = choice.scope in SCOPES and choice.scope != "all"
    what = f"{choice.scope} conversations" if named else "conversations"
    if simulated:
        return f"All {simulated} {what} are simulated, and would be exported only if you include simulated ones."
    return f"There are no {what} to export. Choose other ones: {', '.join(SCOPES)}."


def _lines(
    chosen: ConversationQuerySet, workspace: Workspace, file_format: str, skipped: dict[str, str]
) -> Iterator[str]:
    writer = FORMATS[ExportFormat(file_format)]
    # Turns are fetched for a chunk of conversations at a time, and of both only what is written: memory stays flat.
    spoken = Prefetch("turns", Turn.objects.only("conversation", "position", "role", "content"))
    for conversation in chosen.only("conversation_id").prefetch_related(spoken).iterator(chunk_size=AT_ONCE):
        turns: list[Turn] = sorted(conversation.turns.all(), key=lambda turn: turn.position)
        if why := writer.objection(turns):
            skipped[conversation.conversation_id] = why
        else:
            yield writer.line(turns, system=workspace.training_system_prompt)


def _write(path: Path, lines: Iterator[str], skipped: dict[str, str]) -> int:
    """Write to a draft beside the file, then move it there. The number of lines."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("w", encoding="utf-8") as file:
            count = sum(1 for line in lines if file.write(line + "\n"))
        if not count:
            raise ExportError(f"None of the {len(skipped)} conversations is a valid example; nothing was written.")
        draft.replace(path)
    except OSError as error:
        raise FileRefused(path, error) from error
    finally:
        with suppress(OSError):  # where its folder is none, there is no draft either
            draft.unlink()
    return count

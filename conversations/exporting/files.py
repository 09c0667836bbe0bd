"""Where training files lie, and which of them may be handed out."""

from pathlib import Path

from django.conf import settings
from django.utils import timezone

from conversations.choices import ExportFormat
from conversations.models import Export, Workspace

SUFFIXES = {ExportFormat.OPENAI: ".jsonl"}


class FileElsewhere(Exception):
    """The file of an export cannot be handed out here; the message says why, and what to do."""


def folder() -> Path:
    """The folder that files are handed out from, with one for each workspace in it."""
    return Path(settings.VAR_DIR) / "exports"


def _of(workspace: Workspace) -> Path:
    return folder() / workspace.slug


def new_path(workspace: Workspace, *, file_format: str, scope: str) -> Path:
    """`var/exports/practice/practice-approved-openai-20261125-093012-123456.jsonl`."""
    moment = f"{timezone.now():%Y%m%d-%H%M%S-%f}"
    suffix = SUFFIXES[ExportFormat(file_format)]
    return _of(workspace) / f"{workspace.slug}-{scope}-{file_format}-{moment}{suffix}"


def is_here(export: Export, workspace: Workspace) -> bool:
    try:
        file_of(export, workspace)
    except FileElsewhere:
        return False
    return True


def file_of(export: Export, workspace: Workspace) -> Path:
    """The file, which lies in the folder of its workspace whatever the record says. Raises `FileElsewhere`.

    Elsewhere, another workspace's export may have been written over it since.
    """
    path = Path(export.file).resolve()
    if not export.file or not path.is_relative_to(_of(workspace).resolve()):
        raise FileElsewhere("This file was written to a place of its own, and is not handed out here. Export again.")
    if not path.is_file():
        raise FileElsewhere("The file is no longer on this machine. Export again.")
    return path

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


def new_path(workspace: Workspace, *, file_format: str, scope: str) -> Path:
    """`var/exports/practice/practice-approved-openai-20261125-093012-123456.jsonl`."""
    moment = f"{timezone.now():%Y%m%d-%H%M%S-%f}"
    suffix = SUFFIXES[ExportFormat(file_format)]
    return folder() / workspace.slug / f"{workspace.slug}-{scope}-{file_format}-{moment}{suffix}"


def is_here(export: Export) -> bool:
    try:
        file_of(export)
    except FileElsewhere:
        return False
    return True


def file_of(export: Export) -> Path:
    """The file, which lies below `folder()` whatever the record says. Raises `FileElsewhere`."""
    path = Path(export.file).resolve()
    if not export.file or not path.is_relative_to(folder().resolve()):
        raise FileElsewhere("This file was written to a place of its own, and is not handed out here. Export again.")
    if not path.is_file():
        raise FileElsewhere("The file is no longer on this machine. Export again.")
    return path

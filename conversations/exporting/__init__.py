"""Exports: training files made from conversations, one module per format."""

from conversations.exporting.choice import (
    RECORDED_SCOPES,
    SCOPES,
    TIERS,
    Choice,
    Counts,
    ExportError,
    NotExportable,
    NotThere,
)
from conversations.exporting.export import FileRefused, export_choice, export_conversations
from conversations.exporting.files import FileElsewhere, file_of, is_here, new_path

__all__ = [
    "RECORDED_SCOPES",
    "SCOPES",
    "TIERS",
    "Choice",
    "Counts",
    "ExportError",
    "FileElsewhere",
    "FileRefused",
    "NotExportable",
    "NotThere",
    "export",
    "export_choice",
    "export_conversations",
    "file_of",
    "is_here",
    "new_path",
]

"""Exports: training files made from conversations, one module per format."""

from conversations.exporting.choice import RECORDED_SCOPES, SCOPES, Choice, Counts
from conversations.exporting.export import ExportError, FileRefused, export_choice, export_conversations
from conversations.exporting.files import FileElsewhere, file_of, is_here, new_path

__all__ = [
    "RECORDED_SCOPES",
    "SCOPES",
    "Choice",
    "Counts",
    "ExportError",
    "FileElsewhere",
    "FileRefused",
    "export",
    "export_choice",
    "export_conversations",
    "file_of",
    "is_here",
    "new_path",
]

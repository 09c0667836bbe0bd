"""Exports: training files made from conversations, one module per format."""

from conversations.exporting.export import SCOPES, ExportError, FileRefused, export_conversations
from conversations.exporting.files import FileElsewhere, file_of, is_here, new_path

__all__ = [
    "SCOPES",
    "ExportError",
    "FileElsewhere",
    "FileRefused",
    "export_conversations",
    "file_of",
    "is_here",
    "new_path",
]

"""Exports: training files made from conversations, one module per format."""

from conversations.exporting.export import Exported, ExportError, export_conversations

__all__ = ["ExportError", "Exported", "export_conversations"]

"""The admin of what curators own.

Three classes are completed and registered uphill, by the app that knows what they lack: `PromptTemplateAdmin` and
`WorkspaceAdmin` in `generation/admin.py`, which knows how Claude is asked, and `ConversationAdmin` in
`batches/admin.py`, which can generate many.
"""

from conversations.admin import conversations, dimensions, exports, sources, templates, workspaces

__all__ = ["conversations", "dimensions", "exports", "sources", "templates", "workspaces"]

"""The admin of what curators own.

Two classes are completed and registered uphill, by the app that knows what they lack: `PromptTemplateAdmin` in
`generation/admin.py`, which can read prompts, and `ConversationAdmin` in `batches/admin.py`, which can generate many.
"""

from conversations.admin import conversations, dimensions, exports, sources, templates, workspaces

__all__ = ["conversations", "dimensions", "exports", "sources", "templates", "workspaces"]

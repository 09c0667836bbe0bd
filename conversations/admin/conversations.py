"""Conversations: their list and their page. `batches/admin.py` adds what generates them, and registers both."""

from conversations.admin.conversation_list import ConversationListAdmin
from conversations.admin.page import ConversationPage


class ConversationAdmin(ConversationListAdmin, ConversationPage):
    """The two are pages of one model, and share nothing else."""

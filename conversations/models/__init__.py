from conversations.models.conversation import Conversation, ConversationNumber, Fingerprint, Turn
from conversations.models.coverage import CoverageChange, CoverageCount
from conversations.models.dimension import Dimension
from conversations.models.edit import Edit
from conversations.models.export import Export
from conversations.models.idempotency import IdempotencyKey
from conversations.models.prompt_template import PromptTemplate, TemplateApplicability
from conversations.models.source import Chunk, Document
from conversations.models.workspace import Membership, Workspace, WorkspaceRow

__all__ = [
    "Chunk",
    "Conversation",
    "ConversationNumber",
    "CoverageChange",
    "CoverageCount",
    "Dimension",
    "Document",
    "Edit",
    "Export",
    "Fingerprint",
    "IdempotencyKey",
    "Membership",
    "PromptTemplate",
    "TemplateApplicability",
    "Turn",
    "Workspace",
    "WorkspaceRow",
]

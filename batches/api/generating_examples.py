"""Examples of generating, for the schema."""

from conversations.api import examples
from generation.api.written import RUN

ORDER = {
    "template": "Emergency fund, first steps",
    "persona": "Careful saver",
    "emotion": "Anxious",
    "topic": "Building an emergency fund",
    "parameters": {"months": 3},
    "configuration": {"model": "claude-sonnet-5-5", "max_tokens": 8000},
}
REGENERATION = {"emotion": "Relieved", "configuration": {"effort": "high"}}

WRITTEN = {"conversation": examples.WHOLE, "generation": RUN}

WRITING = {
    "id": "019ab6f2-7d3c-7c11-9a52-0f6d1c2b9e10",
    "conversation_id": "TPL-0042",
    "status": "generating",
    "percentage": 40,
    "current_step": "Claude writes it.",
    "batch": None,
    "items_before": None,
    "seconds_remaining": 12,
    "estimated_completion": "2026-11-25T09:30:20Z",
    "as_of": "2026-11-25T09:30:08Z",
    "failure": None,
    "conversation_url": "https://convgen.example.com/api/conversations/019ab6f2-7d3c-7c11-9a52-0f6d1c2b9e10/",
    "batch_url": None,
}
WAITING = {
    **WRITING,
    "status": "draft",
    "percentage": 0,
    "current_step": "It is next in its batch.",
    "batch": "019ab6f2-7e02-7d5a-8c1b-3d4e5f60718a",
    "items_before": 0,
    "seconds_remaining": 20,
    "estimated_completion": "2026-11-25T09:30:25Z",
    "as_of": "2026-11-25T09:30:05Z",
    "conversation_url": "https://convgen.example.com/api/conversations/019ab6f2-7d3c-7c11-9a52-0f6d1c2b9e10/",
    "batch_url": "https://convgen.example.com/api/batches/019ab6f2-7e02-7d5a-8c1b-3d4e5f60718a/",
}

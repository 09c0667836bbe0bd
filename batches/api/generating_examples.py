"""Examples of generating, for the schema."""

ORDER = {
    "template": "Emergency fund, first steps",
    "persona": "Careful saver",
    "emotion": "Anxious",
    "topic": "Building an emergency fund",
    "parameters": {"months": 3},
    "configuration": {"model": "claude-sonnet-5-5", "max_tokens": 8000},
}
REGENERATION = {"emotion": "Relieved", "configuration": {"effort": "high"}}

_REQUEST = {
    "id": "019ab6f2-9c4e-7b30-8f11-2f3a4b5c6d7e",
    "attempt": 1,
    "model": "claude-sonnet-5-5",
    "status": "succeeded",
    "input_tokens": 412,
    "output_tokens": 1876,
    "cache_read_tokens": 2304,
    "cache_write_tokens": 0,
    "cost_usd": "0.020045",
    "duration_ms": 21840,
    "error_type": "",
    "error_message": "",
    "request_id": "req_018EeWyXxfu5pfWkrYcMdjWG",
    "created_at": "2026-11-25T09:30:22Z",
}
RUN = {
    "run_id": "019ab6f2-7d41-7f02-b1c3-5a6b7c8d9e0f",
    "model": "claude-sonnet-5-5",
    "attempts": 1,
    "input_tokens": 412,
    "output_tokens": 1876,
    "cache_read_tokens": 2304,
    "cache_write_tokens": 0,
    "cost_usd": "0.020045",
    "duration_seconds": 21.84,
    "requests": [_REQUEST],
}
SCORE = {
    "score": 8.4,
    "confidence": 0.86,
    "confidence_level": "high",
    "components": [
        {
            "name": "turn_count",
            "label": "Turn count",
            "actual": "10 turns",
            "target": "8 to 16 turns",
            "weight": 0.2,
            "score": 10.0,
            "finding": "It has as many turns as it should.",
            "advice": "",
        }
    ],
    "flags": [],
}
TURNS = [
    {
        "position": 1,
        "role": "user",
        "content": "I have 400 euros at the end of a good month. Is it silly to start with that?",
        "token_count": 22,
    },
    {
        "position": 2,
        "role": "assistant",
        "content": "Not at all. Let us see what one month without income would cost you, and begin there.",
        "token_count": 24,
    },
]
WRITTEN = {
    "conversation": {
        "id": "019ab6f2-7d3c-7c11-9a52-0f6d1c2b9e10",
        "conversation_id": "TPL-0042",
        "title": "Starting small with an emergency fund",
        "status": "generated",
        "tier": "template",
        "template": "019ab6e0-1111-7aaa-8bbb-0123456789ab",
        "template_version": 3,
        "document": None,
        "chunk": None,
        "persona": "Careful saver",
        "emotion": "Anxious",
        "topic": "Building an emergency fund",
        "intent": "",
        "tone": "",
        "category": "",
        "parameters": {"months": 3},
        "quality_score": "8.4",
        "quality": SCORE,
        "turn_count": 2,
        "turns": TURNS,
        "cost_usd": "0.020045",
        "model": "claude-sonnet-5-5",
        "simulated": False,
        "version": 1,
        "parent": None,
        "created_at": "2026-11-25T09:30:00Z",
        "updated_at": "2026-11-25T09:30:22Z",
    },
    "generation": RUN,
}

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
    "links": {"conversation": "/api/conversations/019ab6f2-7d3c-7c11-9a52-0f6d1c2b9e10/", "batch": None},
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
    "links": {
        "conversation": "/api/conversations/019ab6f2-7d3c-7c11-9a52-0f6d1c2b9e10/",
        "batch": "/api/batches/019ab6f2-7e02-7d5a-8c1b-3d4e5f60718a/",
    },
}

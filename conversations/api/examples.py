"""What a conversation looks like, for the schema."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

ID = "019ab7c2-6d51-7c3e-9c55-0f6f3f1f2a10"
AT = "2026-11-20T09:14:03.512044Z"

TURNS = [
    {"role": "user", "content": "I lost my job in March and my savings are melting. What do I do first?"},
    {"role": "assistant", "content": "That is a frightening place to be. Let us first see how many months you have."},
]

NEW: dict[str, Any] = {
    "template": "019ab7c0-11aa-7d10-8e21-5a1de1a5a001",
    "persona": "Anxious planner",
    "emotion": "Afraid",
    "topic": "Building an emergency fund",
    "parameters": {"age": 41},
}

LISTED: dict[str, Any] = {
    "id": ID,
    "conversation_id": "TPL-0007",
    "title": "An emergency fund after a lost job",
    "status": "pending_review",
    "tier": "template",
    "persona": "Anxious planner",
    "emotion": "Afraid",
    "topic": "Building an emergency fund",
    "intent": "",
    "tone": "",
    "category": "savings",
    "template": "019ab7c0-11aa-7d10-8e21-5a1de1a5a001",
    "template_name": "First steps",
    "template_version": 3,
    "document": "019ab7c0-0b0b-7b33-a0c4-3d8d3f0d6a02",
    "chunk": "019ab7c0-0b1c-7e8b-b7f5-7f2f0a9e4a03",
    "quality_score": 5.6,
    "turn_count": 2,
    "input_tokens": 1480,
    "output_tokens": 912,
    "cost_usd": "0.012080",
    "model": "claude-sonnet-5-5",
    "simulated": False,
    "failure_type": "",
    "failure_message": "",
    "version": 1,
    "parent": None,
    "created_at": AT,
    "updated_at": AT,
}

DECIDED = {
    "at": "2026-11-20T10:02:11+00:00",
    "by": "maria",
    "by_id": "019ab7c0-5e5e-7a11-8b1d-0d3c2b1a0a04",
    "decision": "request_changes",
    "note": "The adviser promises a return. Please tone it down.",
    "score": 5.6,
}

WHOLE: dict[str, Any] = {
    **LISTED,
    "parent_type": "",
    "slot": "",
    "created_by": "lea",
    "parameters": {"age": 41},
    "quality_metrics": {
        "score": 5.6,
        "confidence": 0.62,
        "confidence_level": "medium",
        "components": [
            {
                "name": "turn_count",
                "label": "Number of turns",
                "actual": "2 turns",
                "target": "8 to 16 turns",
                "weight": 0.25,
                "score": 5.0,
                "finding": "2 turns are too few.",
                "advice": "Add turns, or generate it again.",
            }
        ],
        "flags": [{"name": "too_few_turns", "message": "2 turns are too few."}],
    },
    "reviewer_notes": "",
    "review_history": [],
    "turns": [{"position": place, **turn, "token_count": 20} for place, turn in enumerate(TURNS, start=1)],
    "versions_url": f"https://convgen.example.com/api/conversations/{ID}/versions/",
    "edits_url": f"https://convgen.example.com/api/conversations/{ID}/edits/",
}

REVIEWED: dict[str, Any] = {**WHOLE, "status": "needs_revision", "review_history": [DECIDED]}

VERSIONS: dict[str, Any] = {
    "current": "TPL-0007-v2",
    "under_way": None,
    "versions": [
        {
            "id": ID,
            "conversation_id": "TPL-0007",
            "version": 1,
            "status": "archived",
            "parent": None,
            "quality_score": 5.6,
            "turn_count": 2,
            "cost_usd": "0.012080",
            "created_at": AT,
        },
        {
            "id": "019ab7d0-2222-7c3e-9c55-0f6f3f1f2a11",
            "conversation_id": "TPL-0007-v2",
            "version": 2,
            "status": "approved",
            "parent": ID,
            "quality_score": 8.9,
            "turn_count": 10,
            "cost_usd": "0.019320",
            "created_at": "2026-11-21T08:00:00.104211Z",
        },
    ],
}

COMPARED: dict[str, Any] = {
    "before": "TPL-0007",
    "after": "TPL-0007-v2",
    "differences": [{"group": "conversation", "label": "Quality score", "before": 5.6, "after": 8.9}],
    "turns": [
        {
            "change": "changed",
            "role": "user",
            "before_position": 1,
            "after_position": 1,
            "before": "I lost my job in March.",
            "after": "I lost my job in May.",
            "segments": [
                {"change": "equal", "text": "I lost my job in "},
                {"change": "removed", "text": "March"},
                {"change": "added", "text": "May"},
                {"change": "equal", "text": "."},
            ],
        }
    ],
}

EDIT: dict[str, Any] = {
    "id": "019ab7c9-7777-7c3e-9c55-0f6f3f1f2a12",
    "edited_at": AT,
    "edited_by": "lea",
    "fields": ["title", "turns"],
    "turns_before": TURNS,
    "score_before": 5.6,
    "score_after": 7.8,
}


def sent(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True)


def answered(name: str, value: Any, status: int = 200) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=[str(status)])

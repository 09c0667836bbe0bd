"""Examples of batches, for the schema."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

JOB = "0199e5b2-7c1e-7c41-9d0a-5d1b8a3f0c11"
FORMER = "0199e5b2-6a02-7b12-8f3e-2b4a9e7d1f20"


def _asked(name: str, value: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True)


def _told(name: str, value: dict[str, Any], status: int = 200) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=[str(status)])


def _span(low: Any, likely: Any, high: Any) -> dict[str, Any]:
    return {"low": low, "likely": likely, "high": high}


ORDERS = [
    _asked("All that the plan lacks", {"tier": "all", "selection": "gaps", "concurrency": 10, "budget_usd": "15.00"}),
    _asked("At half price", {"tier": "scenario", "selection": "drafts", "delivery": "economy"}),
    _asked("By id", {"conversation_ids": ["TPL-0007", "SCN-0012"], "configuration": {"effort": "high"}}),
    _asked("What failed before", {"selection": "failed", "of_batch": FORMER}),
]

_ESTIMATE = {
    "conversations": 90,
    "simulated": False,
    "known_from_history": 1.0,
    "price_assumed": False,
    "tokens": {"input": 171_000, "output": 234_000},
    "live": {"cost_usd": _span("3.420000", "4.020000", "4.710000"), "seconds": _span(310.0, 360.0, 450.0)},
    "economy": {"cost_usd": _span("1.710000", "2.010000", "2.360000"), "seconds": _span(0.0, 3600.0, 86400.0)},
}

_ROW = {
    "tier": "template",
    "gaps": 52,
    "drafts": 3,
    "failed": 0,
    "total": 55,
    "cost_usd": {"live": "2.460000", "economy": "1.230000"},
}

PLAN = _told(
    "Plan",
    {
        "total": 90,
        "tiers": [_ROW, {**_ROW, "tier": "scenario", "gaps": 35, "drafts": 0, "total": 35}],
        "templates": [{**_ROW, "template_name": "Emergency fund"}],
        "left_out": 0,
        "estimate": _ESTIMATE,
        "warnings": ["It will probably cost $4.02, and its budget is $3.00: not all would be generated."],
        "fingerprint": "0d4cf3b6e3a2b0d7d8f2f3a2c1b0a9e8d7c6b5a4938271605f4e3d2c1b0a9f8e",
    },
)

_BATCH = {
    "id": JOB,
    "name": "90 conversations, all tiers, 2026-11-25 09:30",
    "status": "processing",
    "reason": "",
    "tier": "all",
    "selection": "gaps",
    "delivery": "live",
    "priority": "normal",
    "concurrency": 10,
    "error_handling": "continue",
    "budget_usd": "15.000000",
    "max_attempts": 3,
    "retry_strategy": "exponential",
    "request_timeout": None,
    "parameters": {},
    "configuration": {"model": "", "max_tokens": None, "effort": "", "temperature": None, "top_p": None},
    "total": 90,
    "succeeded": 41,
    "failed": 1,
    "cost_usd": "1.874000",
    "estimate": _ESTIMATE,
    "created_by": "anna",
    "created_at": "2026-11-25T09:30:12.345678Z",
    "started_at": "2026-11-25T09:30:13.001234Z",
    "completed_at": None,
    "url": f"https://convgen.example.com/api/batches/{JOB}/",
    "status_url": f"https://convgen.example.com/api/batches/{JOB}/status/",
    "items_url": f"https://convgen.example.com/api/batches/{JOB}/items/",
}

BATCH = _told("Batch", _BATCH)
CHANGES = _asked("Faster, for more", {"concurrency": 20, "priority": "high", "budget_usd": "25.00"})
RETRIED = _told("Retried", {"retried": 4, "batch": _BATCH})
_ITEM = {
    "id": "0199e5b2-7c1f-7a20-8c4e-9f3b1d2a6e05",
    "position": 7,
    "status": "failed",
    "conversation": "0199e5b2-7c10-7d3f-a4b1-0c9e8d7f6a55",
    "conversation_id": "TPL-0031",
    "attempts": 1,
    "cost_usd": "0.000000",
    "error_type": "timed_out",
    "error_message": "Claude did not answer in time.",
    "started_at": "2026-11-25T09:31:02.120000Z",
    "completed_at": "2026-11-25T09:36:40.004000Z",
}
_MESSAGE_BATCH = {
    "id": "0199e5b3-0a11-7f00-b1c2-d3e4f5a6b7c8",
    "batch": JOB,
    "status": "in_progress",
    "remote_id": "msgbatch_01HkcTjaV5uDC8jWR4ZsDV8d",
    "requests": 90,
    "succeeded": None,
    "errored": None,
    "canceled": None,
    "expired": None,
    "last_error": "",
    "created_at": "2026-11-25T09:30:14.000000Z",
    "submitted_at": "2026-11-25T09:30:15.000000Z",
    "expires_at": "2026-11-26T09:30:15.000000Z",
    "ended_at": None,
    "read_at": None,
    "next_look_at": "2026-11-25T09:40:15.000000Z",
}

LIST = _told("Batches", _BATCH)  # the schema makes a page of it
ITEMS = _told("Items", _ITEM)
MESSAGE_BATCHES = _told("Message batches", _MESSAGE_BATCH)

ORDERED = _told(
    "Started",
    {"job_id": JOB, **_BATCH, "status": "queued", "succeeded": 0, "failed": 0, "cost_usd": "0", "started_at": None},
    201,
)

STATUS = _told(
    "Under way",
    {
        "id": JOB,
        "status": "processing",
        "ended": False,
        "percentage": 46,
        "current_step": "Generating conversation 43 of 90.",
        "total": 90,
        "completed": 42,
        "succeeded": 41,
        "failed": 1,
        "cost_usd": "1.874000",
        "budget_usd": "15.000000",
        "seconds_remaining": 192.4,
        "started_at": "2026-11-25T09:30:13.001234Z",
        "completed_at": None,
    },
)

_QUALITY = {"average_quality": 8.1, "quality_histogram": {"<4": 0, "<6": 2, "<8": 21, "8+": 66}}
_AGAINST = {"estimated": 4.02, "actual": 4.11, "ratio": 1.0224, "difference": 0.09}

SUMMARY = _told(
    "Summary",
    {
        "job_id": JOB,
        "name": _BATCH["name"],
        "status": "completed",
        "reason": "",
        "delivery": "live",
        "total": 90,
        "succeeded": 89,
        "failed": 1,
        "worth_retrying": 1,
        "cost_usd": "4.110000",
        "cost_usd_each": "0.046180",
        "cache_saving_usd": "0.310000",
        "duration_seconds": 371.2,
        "simulated": 0,
        **_QUALITY,
        "estimate": _ESTIMATE,
        "against_estimate": {
            "cost_usd": _AGAINST,
            "seconds": {"estimated": 360.0, "actual": 371.2, "ratio": 1.0311, "difference": 11.2},
        },
        "tiers": [
            {
                "tier": "template",
                "total": 90,
                "succeeded": 89,
                "failed": 1,
                "cancelled": 0,
                "pending_review": 7,
                "cost_usd": "4.110000",
                **_QUALITY,
            }
        ],
        "failures": [
            {
                "error_type": "timed_out",
                "count": 1,
                "reason": "Claude did not answer in time.",
                "next_step": "Try them again, with a longer timeout, less effort or fewer max tokens.",
                "worth_retrying": 1,
                "examples": ["TPL-0031"],
            }
        ],
    },
)

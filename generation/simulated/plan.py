"""The course of a conversation: which kinds of exchange it has, and in which order."""

import random

# Between the opening and the closing, by tier, from short to long; the last is always the next step.
COURSES: dict[str, tuple[tuple[str, ...], ...]] = {
    "template": (
        ("explain", "next"),
        ("explain", "worry", "next"),
        ("explain", "options", "next"),
        ("explain", "explain", "next"),
        ("explain", "worry", "options", "next"),
    ),
    "scenario": (
        ("explain", "particulars", "next"),
        ("explain", "particulars", "worry", "next"),
        ("particulars", "explain", "options", "next"),
        ("explain", "particulars", "worry", "options", "next"),
        ("particulars", "explain", "worry", "options", "next"),
    ),
    "edge_case": (
        ("explain", "conflict", "limits", "next"),
        ("explain", "conflict", "worry", "limits", "next"),
        ("conflict", "explain", "limits", "options", "next"),
        ("explain", "conflict", "particulars", "limits", "next"),
        ("explain", "worry", "conflict", "options", "limits", "next"),
    ),
}
WANTED = {  # what an intent asks to hear
    "compare": "options",
    "decide": "options",
    "reassurance": "worry",
    "share": "worry",
    "opinion": "worry",
    "understand": "explain",
    "plan": "explain",
}


def choose_course(tier: str, intent: str, rng: random.Random) -> tuple[str, ...]:
    """The kinds of the exchanges between the opening and the closing; an unknown tier is a common case."""
    courses = COURSES.get(tier, COURSES["template"])
    wanted = WANTED.get(intent, "")
    return rng.choice([course for course in courses if wanted in course] or courses)

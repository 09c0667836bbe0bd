"""The particulars of one conversation: numbers, days and people that stay the same from turn to turn."""

import random

from generation.simulated.brief import Brief
from generation.simulated.wording import as_topic, number

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
CONFIDANTS = (
    *("sister", "brother", "cousin", "oldest friend", "neighbor", "best friend"),
    *("sister-in-law", "brother-in-law", "aunt", "uncle", "godmother", "old roommate"),
)
SOMEONE = "someone you trust"  # what the adviser calls a confidant of whom nothing has been said yet


def make_details(brief: Brief, rng: random.Random) -> dict[str, str]:
    """Values for the phrases' slots, by name. `helper` depends on the speaker and is set turn by turn."""
    known = f"{brief.topic_description} {brief.source_text[:4000]}"
    return {
        **_numbers(rng),
        "topic": as_topic(brief.topic.rstrip(" .!?"), known) or "all this",
        "source_title": brief.source_title.rstrip(" ."),
        "day": rng.choice(DAYS),
        "month": rng.choice(MONTHS),
        "hour": rng.choice(("three", "four", "half past two", "half past three", "five")),
        "confidant": rng.choice(CONFIDANTS),
    }


def _numbers(rng: random.Random) -> dict[str, str]:
    weeks_left, hours = rng.randint(3, 9), rng.randint(2, 4)
    papers, papers_read = rng.randint(9, 24), rng.randint(3, 5)
    people_for, people_against = rng.randint(2, 3), rng.randint(2, 4)
    items, items_done = rng.randint(7, 12), rng.randint(2, 3)
    score, tries = rng.randint(3, 5), rng.randint(2, 4)
    values = {
        "weeks_since": rng.randint(3, 11),
        "weeks_left": weeks_left,
        "hours": hours,
        "hours_total": weeks_left * hours,
        "papers": papers,
        "papers_read": papers_read,
        "papers_left": papers - papers_read,
        "people": people_for + people_against,
        "people_for": people_for,
        "people_against": people_against,
        "items": items,
        "items_done": items_done,
        "items_left": items - items_done,
        "minutes": rng.choice((15, 20, 25, 30, 40)),
        "score": score,
        "score_up": score + 2,
        "tries": tries,
        "tries_next": tries + 1,
    }
    return {name: number(value) for name, value in values.items()}

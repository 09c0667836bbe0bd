"""Titles: the topic, then the angle of this conversation; three to nine words."""

import random

from generation.simulated.brief import Brief
from generation.simulated.phrases import bank, words
from generation.simulated.wording import capital

LONGEST_TITLE = 9  # words
LONGEST_TOPIC = 6  # words
DANGLING = frozenset(words("dangling"))


def make_title(brief: Brief, emotion: str, rng: random.Random) -> str:
    """ "Building an emergency fund: worry made smaller"."""
    subject = _shortened(brief.topic or brief.source_title or brief.persona or "A first conversation")
    phrases = bank("titles")
    tier = brief.tier if brief.tier in phrases["tier_angles"] else "template"
    angles = [*phrases["angles"][emotion], *phrases["tier_angles"][tier]]
    room = LONGEST_TITLE - len(subject.split())
    angle = rng.choice([angle for angle in angles if len(angle.split()) in range(2, room + 1)])
    return f"{subject}: {angle}"


def _shortened(text: str) -> str:
    kept = text.replace(":", ",").rstrip(" .!?,;").split()
    if len(kept) > LONGEST_TOPIC:
        kept = kept[:LONGEST_TOPIC]
        while len(kept) > 1 and kept[-1].lower() in DANGLING:
            kept.pop()
    return capital(" ".join(kept).rstrip(",;:"))

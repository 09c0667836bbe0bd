"""Which family of phrases a name belongs to: any word a curator may use, mapped to what the banks know."""

from collections.abc import Mapping, Sequence

from generation.simulated.phrases import bank

NEUTRAL = "neutral"
HEAVY = ("grieving", "hopeless")  # no light words with these


def emotion_family(name: str) -> str:
    """ "anxious", "overwhelmed" … or "neutral"."""
    return _family({family: table["words"] for family, table in bank("emotions").items()}, name)


def intent_family(name: str) -> str:
    """ "reassurance", "understand", "compare", "decide", "plan", "opinion", "share" … or "neutral"."""
    return _family(bank("opening")["intent_words"], name)


def tone_family(name: str, emotion: str) -> str:
    """ "warm", "formal", "direct", "light", "coaching", "neutral"; never light where the emotion is heavy."""
    found = _family(bank("tones")["words"], name)
    return "warm" if found == "light" and emotion in HEAVY else found


def _family(stems: Mapping[str, Sequence[str]], name: str) -> str:
    """The family whose stem comes first in the name; of two there, the longer: "hopeless" is not "hope"."""
    words = f" {name.lower()}".replace("/", " ").replace("(", " ")
    matches = [
        (words.find(f" {stem}"), -len(stem), family)
        for family, known in stems.items()
        for stem in known
        if f" {stem}" in words
    ]
    return min(matches, default=(0, 0, NEUTRAL))[2]

"""What simulated Claude writes: plausible, varied, and the same for the same seed."""

import random
import re
import statistics
from itertools import combinations
from typing import Any

import pytest

from generation.simulated.brief import Brief
from generation.simulated.details import make_details
from generation.simulated.families import emotion_family, tone_family
from generation.simulated.passages import passages
from generation.simulated.persona import self_portrait
from generation.simulated.phrases import FOLDER, bank
from generation.simulated.titles import make_title
from generation.simulated.wording import as_topic
from generation.simulated.writer import write_answer, write_conversation

PERSONAS = (
    ("Newly divorced parent", "41, two children, took over the family finances last year…"),
    (
        "Night-shift nurse",
        "A 29-year-old nurse with two cats. She works nights and sends money to her mother.",
    ),
    ("Retired teacher", "A 67-year-old retired teacher, living alone. He keeps every receipt he gets."),
    ("First-time dog owner", "Someone who has never had a pet and reads everything about it."),
    ("Couple near retirement", "He is 61 and drives a bus; she is 59 and keeps books for two small firms."),
    ("Marcus - The Overwhelmed Avoider", ""),
)
EMOTIONS = (
    "Anxious",
    "Ashamed",
    "Overwhelmed",
    "Fed up",
    "Grieving",
    "Hopeless",
    "Overconfident",
    "Nostalgic",
)
TOPICS = (
    *("Rebuilding an emergency fund", "Spending plan on an uneven income", "Student loans", "Losing a job"),
    *(
        "Social Security timing",
        "Caring for an aging parent",
        "House-training a puppy",
        "Talking about money",
    ),
    *("Leaving a badly insulated flat", "Writing a will", "A difficult neighbor", "Starting over at forty"),
)
INTENTS = ("Seek reassurance", "Understand how it works", "Choose between options", "Build a plan", "Vent")
TONES = ("Warm and plain", "Formal", "Direct and kind", "Light", "Curious and encouraging")
ELEMENTS = (
    ("emergency fund | rainy-day fund", "next step"),
    ("for example | for instance", "depends", "I can"),
    ("401(k)", "You are not alone", "crate training"),
)
SOURCES = (
    (
        "A short guide to saving",
        """## Why it matters
<!-- labels: cash -->
An emergency fund is money whose only job is to keep one bad week from becoming a bad year. It sits apart.
Start with one month of essential spending, and count only what has to be paid. Then build it up slowly.
Keep it in an account that you can reach within a day. Most people find it easier
when the transfer runs by itself.

- Choose the day after payday for the transfer, so that you never see the money.
- See table 3 for the figures.

A fund that was used has done its work. Refilling it is simply the next job on the list.
Families with one income usually want a larger cushion than families with two.""",
    ),
    (
        "Letters and deadlines",
        """Most letters sound more urgent than they are, and the date near the bottom tells you which
ones are.
Open everything on one fixed day of the week. Write the date of arrival on the envelope before you read
a line.
If a deadline is closer than two weeks, call first and write afterwards. Ask for the name of the person
you talk to.
Copies belong in one folder, in the order of their dates. A photograph of a page is better than no copy
at all.
Nobody is obliged to answer on the telephone, and asking for time is always allowed.""",
    ),
    ("", ""),
)
COUNT = 90


def brief_number(number: int) -> Brief:
    """One of many briefs: 6 personas × 8 emotions × 12 topics × 3 tiers, on 9 templates."""
    persona, description = PERSONAS[number % 6]
    title, text = SOURCES[number % 3]
    return Brief(
        tier=("template", "scenario", "edge_case")[number % 3],
        persona=persona,
        persona_description=description,
        emotion=EMOTIONS[number * 5 % 8],
        topic=TOPICS[number * 7 % 12],
        topic_description="What to do first, what can wait, and whom to ask. A typical question: is it late?",
        intent=INTENTS[number % 9 % 5],
        tone=TONES[number % 9 * 2 % 5],
        required_elements=ELEMENTS[number // 3 % 3],
        source_title=title,
        source_text=text,
    )


@pytest.fixture(scope="module")
def conversations() -> list[dict[str, Any]]:
    return [write_conversation(brief_number(number), seed=number) for number in range(COUNT)]


def said(conversation: dict[str, Any], role: str) -> list[str]:
    return [turn["content"] for turn in conversation["turns"] if turn["role"] == role]


def shingles(conversation: dict[str, Any]) -> set[tuple[str, ...]]:
    words = re.findall(r"[\w']+", " ".join(turn["content"] for turn in conversation["turns"]).lower())
    return set(zip(words, words[1:], words[2:], strict=False))


def test_turns_alternate_from_user_to_assistant_and_none_is_empty(
    conversations: list[dict[str, Any]],
) -> None:
    for conversation in conversations:
        roles = [turn["role"] for turn in conversation["turns"]]
        assert roles == ["user", "assistant"] * (len(roles) // 2)
        assert 8 <= len(roles) <= 16
        assert all(turn["content"].strip() for turn in conversation["turns"])


def test_turns_have_the_length_of_a_good_conversation(conversations: list[dict[str, Any]]) -> None:
    for conversation in conversations:
        assert 55 <= statistics.mean(len(turn.split()) for turn in said(conversation, "assistant")) <= 130
        assert all(12 <= len(turn.split()) <= 60 for turn in said(conversation, "user"))


def test_harder_tiers_take_more_turns(conversations: list[dict[str, Any]]) -> None:
    average = [statistics.mean(len(one["turns"]) for one in conversations[tier::3]) for tier in range(3)]

    assert average == sorted(average)


def test_the_same_brief_and_seed_give_the_same_conversation() -> None:
    assert write_conversation(brief_number(4), seed=11) == write_conversation(brief_number(4), seed=11)
    assert write_conversation(brief_number(4), seed=11) != write_conversation(brief_number(4), seed=12)


def test_no_two_conversations_are_near_duplicates(conversations: list[dict[str, Any]]) -> None:
    sets = [shingles(conversation) for conversation in conversations]
    similarities = [len(one & other) / len(one | other) for one, other in combinations(sets, 2)]

    assert max(similarities) < 0.35
    assert statistics.median(similarities) < 0.08


def test_versions_of_one_brief_differ_as_well() -> None:
    sets = [shingles(write_conversation(brief_number(1), seed=seed)) for seed in range(40)]

    assert max(len(one & other) / len(one | other) for one, other in combinations(sets, 2)) < 0.35


def test_every_required_element_is_said_by_the_assistant(conversations: list[dict[str, Any]]) -> None:
    for number, conversation in enumerate(conversations):
        spoken = "\n".join(said(conversation, "assistant")).lower()
        for element in brief_number(number).required_elements:
            alternatives = [re.escape(part.strip().lower()) for part in element.split("|")]
            assert re.search(rf"(?<!\w)(?:{'|'.join(alternatives)})(?!\w)", spoken), element


def test_many_required_elements_are_all_said() -> None:
    elements = tuple(f"keyword {number}" for number in range(12))

    conversation = write_conversation(Brief(required_elements=elements), seed=1)

    spoken = "\n".join(said(conversation, "assistant"))
    assert all(element in spoken for element in elements)


def test_the_topic_is_named_by_the_user_and_the_source_is_told_by_the_assistant() -> None:
    for number in range(0, COUNT, 3):
        conversation = write_conversation(brief_number(number), seed=number)
        spoken = "\n".join(said(conversation, "assistant"))
        told = [passage for passage in passages(SOURCES[0][1]) if passage[1:] in spoken]
        topic = TOPICS[number * 7 % 12]
        assert topic[1:].lower() in said(conversation, "user")[0].lower()
        assert len(told) >= 2


def test_no_sentence_comes_twice_in_a_conversation(conversations: list[dict[str, Any]]) -> None:
    for conversation in conversations:
        text = "\n".join(turn["content"] for turn in conversation["turns"])
        sentences = [one for one in re.split(r"(?<=[.!?]) +|\n", text) if len(one.split()) > 3]
        assert len(sentences) == len(set(sentences))


@pytest.mark.parametrize(
    "blunder",
    [
        r"[{}\[\]<>|]",  # slots and choices that were not filled
        r"\.\.|,,|\?\.|\.\?|!\.|  ",  # doubled marks
        r"(?:^|[.?!] )[a-z]",  # a sentence without a capital
        r"\bi\b|\bi'",
        r"\b[Aa] [aeio](?!ne\b)\w|\b(?:my my|your your|the the|a an|my Anxious|the your)\b",
    ],
)
def test_the_text_is_free_of_blunders(conversations: list[dict[str, Any]], blunder: str) -> None:
    for conversation in conversations:
        for turn in conversation["turns"]:
            assert not re.search(blunder, turn["content"]), turn["content"]


def test_titles_are_short_and_say_the_topic(conversations: list[dict[str, Any]]) -> None:
    for number, conversation in enumerate(conversations):
        assert 3 <= len(conversation["title"].split()) <= 9
        assert conversation["title"].split()[0] == TOPICS[number * 7 % 12].split()[0]


def test_an_empty_brief_still_gives_a_whole_conversation() -> None:
    conversation = write_conversation(Brief(), seed=5)

    assert len(conversation["turns"]) >= 8
    assert 3 <= len(conversation["title"].split()) <= 9


def test_an_edge_case_says_where_advice_ends(conversations: list[dict[str, Any]]) -> None:
    limit = re.compile(r"specialist|lawyer|legal advice|doctor|counselor|mediator|qualified|consultation")

    assert all(limit.search("\n".join(said(one, "assistant"))) for one in conversations[2::3])


def test_somebody_in_despair_is_asked_about_safety_first() -> None:
    for seed in range(10):
        conversation = write_conversation(Brief(emotion="Hopeless", tone="Playful"), seed=seed)
        assert re.search(r"safe right now|harming yourself", said(conversation, "assistant")[0])


def test_a_formal_adviser_uses_no_contractions() -> None:
    for seed in range(10):
        spoken = " ".join(said(write_conversation(Brief(tone="Formal"), seed=seed), "assistant"))
        assert not re.search(r"n't\b|\w'(?:re|ve|ll|m|d)\b|\b(?:it|that|there|what|here|let)'s", spoken, re.I)


def test_a_weak_conversation_is_whole_but_says_nothing() -> None:
    for seed in range(20):
        conversation = write_conversation(brief_number(3), seed=seed, weak=True)
        roles = [turn["role"] for turn in conversation["turns"]]
        assert roles == ["user", "assistant"] * 3
        assert all(8 <= len(reply.split()) <= 18 for reply in said(conversation, "assistant"))
        assert "emergency fund" not in " ".join(said(conversation, "assistant"))


def test_an_answer_is_short_plain_text() -> None:
    answers = {write_answer("Name one good habit.", seed=seed) for seed in range(20)}

    assert len(answers) > 5
    assert all(2 <= len(re.findall(r"[.!?](?: |$)", answer)) <= 4 for answer in answers)
    assert write_answer("", seed=1)


def test_emotions_are_told_apart_by_their_first_and_longest_stem() -> None:
    words = {
        "Hopeless": "hopeless",
        "hopeful": "hopeful",
        "Over-confident": "overconfident",
        "Sad": "grieving",
    }

    assert {word: emotion_family(word) for word in words} == words
    assert emotion_family("Nostalgic") == "neutral"
    assert tone_family("Humorous", "grieving") == "warm"
    assert tone_family("Warm and plain", "anxious") == "warm"


def test_a_persona_speaks_of_itself_in_the_first_person() -> None:
    portrait = self_portrait(
        "Electrician",
        "A 35-year-old electrician with his own van, married. He clears $9,000 in a good month.",
    )

    assert portrait == (
        "I'm 35, an electrician with my own van, married.",
        "I clear $9,000 in a good month.",
    )
    assert self_portrait(*PERSONAS[0])[:2] == ("I'm 41, a newly divorced parent.", "I have two children.")
    assert self_portrait("Couple near retirement", PERSONAS[4][1]) == ("We're a couple near retirement.",)
    assert self_portrait("Dog owners", "") == ()


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ("41, two children, in her first job", ("I'm 41, a nurse.", "I have two children.", "I'm in my first job.")),
        ("Recently divorced, lost a job, worries a lot", ("I'm recently divorced.", "I lost a job.", "I worry a lot.")),
        ("She misses her old job.", ("I'm a nurse.", "I miss my old job.")),
        ("She tries to save.", ("I'm a nurse.", "I try to save.")),
        ("She is a widow, has a cat, tries to save.", ("I'm a widow.",)),
        ("The divorce became final in May.", ("I'm a nurse.", "The divorce became final in May.")),
        ("He saves. She spends.", ("I'm a nurse.",)),
    ],
)
def test_what_is_understood_of_a_description_is_said_and_the_rest_is_left_out(
    description: str, said: tuple[str, ...]
) -> None:
    assert self_portrait("Nurse", description) == said


def test_a_long_topic_is_cut_where_a_title_can_end() -> None:
    title = make_title(Brief(topic="How to build an emergency fund of three months"), "neutral", random.Random(1))
    assert title.startswith("How to build an emergency fund: ")
    cut = make_title(Brief(topic="Paying off what you owe to the bank"), "neutral", random.Random(1))
    assert cut.startswith("Paying off what you owe: ")


def test_passages_can_stand_on_their_own() -> None:
    found = passages(SOURCES[0][1])

    assert found[0].startswith("An emergency fund is money")
    assert not any("table 3" in passage or "labels" in passage or "##" in passage for passage in found)
    assert not any(passage.startswith(("It ", "Then ")) for passage in found)


def test_topics_read_well_in_mid_sentence() -> None:
    assert as_topic("Rebuilding an Emergency Fund", "") == "rebuilding an emergency fund"
    assert as_topic("Spending plan on an uneven income", "") == "a spending plan on an uneven income"
    assert as_topic("Roth IRA conversions", "") == "Roth IRA conversions"


def test_every_phrase_can_be_filled() -> None:
    given = {*make_details(Brief(), random.Random(1)), "helper", "element", "quote"}
    for path in FOLDER.glob("*.toml"):
        slots = {slot.lower() for slot in re.findall(r"\{(\w+)\}", repr(bank(path.stem)))}
        assert slots <= given, path.name

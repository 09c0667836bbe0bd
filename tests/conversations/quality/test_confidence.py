from dataclasses import replace

import pytest

from conversations.quality import Sample, Turn
from conversations.quality.confidence import confidence_level, judge_confidence

QUESTION = Turn("user", "How do I start an emergency fund again?")
ANSWER = Turn("assistant", "Rebuild it slowly: set up a transfer each payday, and let the savings account grow.")
CLEAN = Sample((QUESTION, ANSWER), "template", topic="Rebuilding an emergency fund")
SOURCE = "Savings account transfer payday interest deposit withdrawal penalty bank statement rate maturity."


def ending_with(text: str) -> Sample:
    return replace(CLEAN, turns=(QUESTION, Turn("assistant", text)))


def test_a_clean_conversation_on_its_topic_is_certain() -> None:
    judgement = judge_confidence(CLEAN)
    assert (judgement.score, judgement.actual) == (10, "1.0 (high)")
    assert judgement.advice == ""


def test_a_topic_that_is_never_mentioned_costs_its_weight() -> None:
    judgement = judge_confidence(replace(CLEAN, topic="Reverse mortgage taxation"))
    assert judgement.score == pytest.approx(10 * 0.40 / 0.60)
    assert judgement.finding == "The topic, “Reverse mortgage taxation”, is hardly mentioned."


@pytest.mark.parametrize("topic", ["", "   ", "What to do"])
def test_a_topic_without_a_telling_word_does_not_count(topic: str) -> None:
    assert judge_confidence(replace(CLEAN, topic=topic)).score == 10


def test_half_of_the_topics_words_suffice() -> None:
    assert judge_confidence(replace(CLEAN, topic="Emergency fund during bankruptcy proceedings")).score == 10


def test_a_source_is_used_when_a_quarter_of_its_terms_occur() -> None:
    assert judge_confidence(replace(CLEAN, source_text=SOURCE)).score == 10


def test_a_source_that_was_ignored_is_named() -> None:
    judgement = judge_confidence(replace(CLEAN, source_text="Photosynthesis converts sunlight within chloroplasts."))
    assert judgement.score == pytest.approx(10 * 0.60 / 0.75)
    assert "source text" in judgement.finding


def test_missing_required_elements_lower_the_confidence_by_their_share() -> None:
    judgement = judge_confidence(replace(CLEAN, required_elements=("payday", "next step")))
    assert judgement.score == pytest.approx(10 * (0.60 + 0.125) / 0.85)


@pytest.mark.parametrize(
    "leftover",
    [
        "{{persona}}",
        "{% if tone %}",
        "{name}",
        "[Name]",
        "[Your Bank]",
        "[company name]",
        "[insert amount here]",
        "Lorem ipsum",
        "</brief>",
        "<persona_description>",
        '<source title="A guide">',
    ],
)
def test_a_leftover_is_found_and_quoted(leftover: str) -> None:
    judgement = judge_confidence(ending_with(f"An emergency fund helps, {leftover}."))
    assert judgement.score == pytest.approx(10 * 0.45 / 0.60)
    assert f"“{leftover}”" in judgement.finding


def test_the_speakers_names_of_a_transcript_are_leftovers() -> None:
    assert judge_confidence(ending_with("Save a little.\nUser: And then?")).score == pytest.approx(7.5)


@pytest.mark.parametrize("harmless", ["[a guide](https://bank.example)", "a < b", "x[1]", "[laughs]", "the user: you"])
def test_brackets_with_a_meaning_are_no_leftovers(harmless: str) -> None:
    assert judge_confidence(ending_with(f"An emergency fund helps, {harmless}.")).score == 10


@pytest.mark.parametrize(
    "phrase", ["As an AI, I", "I'm just an AI, so I", "I’m an AI and", "As a large language model, I"]
)
def test_an_assistant_that_speaks_as_a_machine_is_found(phrase: str) -> None:
    judgement = judge_confidence(ending_with(f"{phrase} cannot say."))
    assert judgement.score == pytest.approx(10 * 0.50 / 0.60)
    assert "as a machine" in judgement.finding


def test_the_user_may_speak_of_machines() -> None:
    assert judge_confidence(replace(CLEAN, turns=(Turn("user", "As an AI, do you know funds?"), ANSWER))).score == 10


@pytest.mark.parametrize(
    "end",
    ["Start now.", "Ready?", "“Start now.”", "Start **now!**", "Start now! 🙂", "(Start now.)", "开始吧。"],
)
def test_a_finished_sentence_is_seen_through_what_closes_it(end: str) -> None:
    assert judge_confidence(ending_with(end)).score == 10


@pytest.mark.parametrize("end", ["Start by", "Start now. Then,", "Three steps:", "At 3.5"])
def test_an_end_in_mid_sentence_is_seen(end: str) -> None:
    judgement = judge_confidence(ending_with(end))
    assert judgement.score == pytest.approx(10 * 0.50 / 0.60)
    assert judgement.advice == "Finish the last sentence."


def test_a_turn_repeated_word_for_word_is_named_by_its_position() -> None:
    judgement = judge_confidence(replace(CLEAN, turns=(QUESTION, ANSWER, QUESTION, ANSWER)))
    assert judgement.score == pytest.approx(10 * 0.55 / 0.60)
    assert judgement.finding == "Turn 3 repeats an earlier turn word for word."


def test_thanks_may_be_said_twice() -> None:
    thanks = Turn("user", "Thank you!")
    assert judge_confidence(replace(CLEAN, turns=(QUESTION, thanks, ANSWER, thanks))).score == 10


def test_nothing_said_gives_no_confidence() -> None:
    judgement = judge_confidence(Sample((), "template"))
    assert (judgement.score, judgement.actual) == (0, "0.0 (low)")


@pytest.mark.parametrize(
    ("value", "level"), [(0.81, "high"), (0.8, "medium"), (0.5, "medium"), (0.49, "low"), (0.0, "low")]
)
def test_levels_begin_where_the_requirements_say(value: float, level: str) -> None:
    assert confidence_level(value) == level

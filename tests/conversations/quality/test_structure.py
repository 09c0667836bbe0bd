import pytest

from conversations.quality import Sample, Turn
from conversations.quality.structure import judge_structure


def spoken(roles: str, required: tuple[str, ...] = (), answer: str = "Keep a Rainy-day\nfund at hand.") -> Sample:
    """One turn per letter: u for user, a for assistant, anything else for a role that does not exist."""
    said = {"u": Turn("user", "What is a next step?"), "a": Turn("assistant", answer)}
    return Sample(
        tuple(said.get(role, Turn("system", "Be kind.")) for role in roles),
        "template",
        required_elements=required,
    )


@pytest.mark.parametrize(
    ("roles", "score", "finding"),
    [
        ("uaua", 10, "The dialogue is well formed and complete."),
        ("auaua", 7.5, "The user does not open the conversation."),
        ("uau", 7.5, "The assistant does not have the last word."),
        ("uuaua", 7, "User and assistant do not take turns: look at turn 2."),
        ("uasua", 7, "User and assistant do not take turns: look at turn 3."),
        ("auau", 5, "The user does not open the conversation. The assistant does not have the last word."),
    ],
)
def test_each_flaw_of_form_costs_its_share(roles: str, score: float, finding: str) -> None:
    judgement = judge_structure(spoken(roles))
    assert (judgement.score, judgement.finding) == (score, finding)


def test_an_empty_turn_caps_the_score_and_is_a_hard_defect() -> None:
    sample = Sample((*spoken("uau").turns, Turn("assistant", " \n")), "template")
    judgement = judge_structure(sample)
    assert judgement.score == 2
    assert [(flag.name, flag.message, flag.hard) for flag in judgement.defects] == [
        ("empty_turn", "Turn 4 is empty.", True)
    ]


@pytest.mark.parametrize("turns", [(), (Turn("user", ""), Turn("assistant", "  "))])
def test_an_empty_conversation_scores_nothing_and_is_a_hard_defect(turns: tuple[Turn, ...]) -> None:
    judgement = judge_structure(Sample(turns, "template"))
    assert judgement.score == 0
    assert [flag.name for flag in judgement.defects] == ["empty_conversation"]
    assert judgement.defects[0].hard


def test_any_alternative_satisfies_a_required_element_in_any_case_and_across_line_breaks() -> None:
    judgement = judge_structure(spoken("uaua", ("emergency fund | rainy-day fund",)))
    assert judgement.score == 10
    assert judgement.actual == "user first, assistant last, taking turns, 1 of 1 required elements"


def test_only_the_assistant_can_say_a_required_element() -> None:
    judgement = judge_structure(spoken("uaua", ("next step",)))
    assert judgement.score == 1
    assert judgement.concern == "missing_elements"


def test_part_of_a_word_is_not_a_required_element() -> None:
    assert judge_structure(spoken("ua", ("fun",))).score == 1


def test_each_missing_element_is_named_in_finding_and_advice() -> None:
    judgement = judge_structure(spoken("uaua", ("rainy-day fund", "budget | plan", "next step")))
    assert judgement.score == pytest.approx(4)
    assert judgement.finding == "The assistant never mentions “budget” or “plan”, “next step”."
    assert "“budget” or “plan”, “next step”" in judgement.advice


def test_an_element_does_not_reach_from_one_turn_into_the_next() -> None:
    assert judge_structure(spoken("uaua", ("at hand keep",))).score == 1


@pytest.mark.parametrize("element", ["", "  ", " | "])
def test_blank_elements_ask_for_nothing(element: str) -> None:
    assert judge_structure(spoken("uaua", (element,))).score == 10


def test_an_element_of_signs_alone_is_looked_for_as_it_stands() -> None:
    assert judge_structure(spoken("ua", ("€",), answer="Put 20 € aside.")).score == 10
    assert judge_structure(spoken("ua", ("€",), answer="Put 20 dollars aside.")).score == 1


def test_typographic_apostrophes_make_no_difference() -> None:
    assert judge_structure(spoken("ua", ("don't worry",), answer="Please don’t worry.")).score == 10

import pytest

from conversations.quality import Sample, Turn, assess
from conversations.quality.report import Judgement
from conversations.quality.required_elements import judge_required_elements

ANSWER = "Keep a Rainy-day\nfund at hand."


def judged(*required: str, answer: str = ANSWER) -> Judgement:
    """What is said of four turns; the user asks for a next step, the assistant answers the same twice."""
    turns = (Turn("user", "What is a next step?"), Turn("assistant", answer)) * 2
    judgement = judge_required_elements(Sample(turns, "template", required_elements=required))
    assert judgement is not None
    return judgement


@pytest.mark.parametrize(
    ("required", "score", "actual", "target"),
    [
        (("fund",), 10, "1 of 1", "the one"),
        (("rainy-day fund", "at hand"), 10, "2 of 2", "all 2"),
        (("fund", "budget"), 5, "1 of 2", "all 2"),
        (("fund", "budget", "debt", "rent"), 2.5, "1 of 4", "all 4"),
        (("budget",), 0, "0 of 1", "the one"),
    ],
)
def test_the_score_is_the_share_that_is_said(required: tuple[str, ...], score: float, actual: str, target: str) -> None:
    judgement = judged(*required)
    assert (judgement.score, judgement.actual, judgement.target) == (score, actual, target)


def test_what_is_missing_is_flagged_even_when_most_is_said() -> None:
    judgement = judged("rainy-day", "fund", "hand", "budget")
    assert judgement.score == 7.5
    assert [(flag.name, flag.hard) for flag in judgement.defects] == [("missing_elements", False)]
    assert judged("fund").defects == ()


@pytest.mark.parametrize("required", [(), ("",), ("  ", " | ")])
def test_where_nothing_is_required_nothing_is_scored(required: tuple[str, ...]) -> None:
    assert judge_required_elements(Sample((Turn("user", "Hello."),), "template", required_elements=required)) is None


def test_an_empty_conversation_scores_nothing_and_leaves_the_flag_to_the_structure() -> None:
    judgement = judge_required_elements(Sample((), "template", required_elements=("fund",)))
    assert judgement is not None
    assert (judgement.score, judgement.defects) == (0, ())


def test_each_missing_element_is_named_in_finding_and_advice() -> None:
    judgement = judged("rainy-day fund", "budget | plan", "next step")
    assert judgement.finding == "The assistant never mentions “budget” or “plan”, “next step”."
    assert "“budget” or “plan”, “next step”" in judgement.advice


def test_any_alternative_will_do_in_any_case_and_across_line_breaks() -> None:
    assert judged("emergency fund | rainy-day fund").score == 10


def test_only_the_assistant_can_say_a_required_element() -> None:
    assert judged("next step").score == 0


def test_part_of_a_word_is_not_a_required_element() -> None:
    assert judged("fun").score == 0


def test_an_element_does_not_reach_from_one_turn_into_the_next() -> None:
    assert judged("at hand keep").score == 0


def test_blank_elements_beside_others_ask_for_nothing() -> None:
    assert (judged("", "fund").score, judged("", "fund").actual) == (10, "1 of 1")


def test_an_element_of_signs_alone_is_looked_for_as_it_stands() -> None:
    assert judged("€", answer="Put 20 € aside.").score == 10
    assert judged("€", answer="Put 20 dollars aside.").score == 0


def test_typographic_apostrophes_make_no_difference() -> None:
    assert judged("don't worry", answer="Please don’t worry.").score == 10


def test_a_rule_that_does_not_apply_shares_its_weight_out_as_the_others_weigh() -> None:
    turns = (Turn("user", "What is a next step?"), Turn("assistant", ANSWER))
    required = assess(Sample(turns, "template", required_elements=("fund",))).components
    free = assess(Sample(turns, "template")).components
    assert [(part.name, part.weight) for part in required] == [
        ("turn_count", 0.2),
        ("length", 0.15),
        ("structure", 0.15),
        ("required_elements", 0.25),
        ("confidence", 0.15),
        ("uniqueness", 0.1),
    ]
    assert [(part.name, part.weight) for part in free] == [
        ("turn_count", 0.267),
        ("length", 0.2),
        ("structure", 0.2),
        ("confidence", 0.2),
        ("uniqueness", 0.133),
    ]

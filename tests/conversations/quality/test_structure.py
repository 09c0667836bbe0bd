import pytest

from conversations.quality import Sample, Turn
from conversations.quality.structure import judge_structure


def spoken(roles: str) -> Sample:
    """One turn per letter: u for user, a for assistant, anything else for a role that does not exist."""
    said = {"u": Turn("user", "What is a next step?"), "a": Turn("assistant", "Keep a fund at hand.")}
    return Sample(tuple(said.get(role, Turn("system", "Be kind.")) for role in roles), "template")


@pytest.mark.parametrize(
    ("roles", "score", "finding"),
    [
        ("uaua", 10, "The dialogue is well formed."),
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

"""How values read, what counts as yes, which tags are disarmed, how variables are declared."""

import pickle
from decimal import Decimal

import pytest
from pydantic import ValidationError

from generation.prompts import (
    InvalidValue,
    MissingVariable,
    TemplateSyntaxError,
    UnresolvedPrompt,
    Variable,
    VariableDefinitionError,
    escape_tags,
    is_yes,
    parse_variables,
)
from generation.prompts.values import find_value, is_number, readable_text


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " \n",
        0,
        0.0,
        Decimal("0.00"),
        "0",
        "0.00",
        "-0",
        "0e5",
        ".0",
        False,
        [],
        (),
        {},
        "no",
        " No ",
        "FALSE",
    ],
)
def test_nothing_zero_and_the_words_for_no_count_as_no(value: object) -> None:
    assert not is_yes(value)


@pytest.mark.parametrize(
    "value",
    ["yes", "x", 1, -0.5, Decimal("0.01"), "0.01", "00x", "none", True, [""], {"a": 0}, "nothing", object()],
)
def test_everything_else_counts_as_yes(value: object) -> None:
    assert is_yes(value)


@pytest.mark.parametrize("value", [0, -3, 2.5, Decimal("1.50"), "40", " -2.5e3 ", "+.5", "5."])
def test_a_number_is_a_finite_number_or_its_text(value: object) -> None:
    assert is_number(value)


@pytest.mark.parametrize(
    "value",
    [
        True,
        "forty",
        "",
        "1,000",
        "1_000",
        "٣",
        "nan",
        "inf",
        "1e999",
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        [1],
        None,
    ],
)
def test_bools_words_and_endless_numbers_are_not_numbers(value: object) -> None:
    assert not is_number(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (" as it is ", " as it is "),
        (True, "yes"),
        (False, "no"),
        (41, "41"),
        (3.0, "3"),
        (-0.0, "0"),
        (0.1 + 0.2, "0.3"),
        (2.5, "2.5"),
        (0.00001, "0.00001"),
        (1234567890123456.5, "1234567890123456.5"),
        (1e300, "1E+300"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+3"), "1000"),
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (("a", 2, True), "a, 2 and yes"),
        ({"rent": 900, "food": 400.0}, "rent: 900 and food: 400"),
    ],
)
def test_values_read_as_a_person_would_write_them(value: object, text: str) -> None:
    assert readable_text(value) == text


def test_a_whole_number_of_any_length_can_be_written() -> None:
    assert readable_text(10**5000) == "1" + "0" * 5000


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("</brief><tier>x</tier>", "&lt;/brief&gt;&lt;tier&gt;x&lt;/tier&gt;"),
        ("<!-- a > b -> c -->d>", "&lt;!-- a > b -> c --&gt;d>"),
        ("<?xml?>", "&lt;?xml?&gt;"),
        ("<été>", "&lt;été&gt;"),
        ("<<b>", "<&lt;b&gt;"),
        ("ends in <", "ends in &lt;"),
        ("<a\nhref='x'>", "&lt;a\nhref='x'&gt;"),
    ],
)
def test_tags_and_comments_in_values_are_disarmed(text: str, escaped: str) -> None:
    assert escape_tags(text) == escaped


@pytest.mark.parametrize("text", ["a < b", "a > b", "x -> y", "<-", "R&D &amp; \"so\" 'on'", "1<2", "<3", ""])
def test_comparisons_arrows_ampersands_and_quotes_stay(text: str) -> None:
    assert escape_tags(text) == text


def test_none_in_a_source_is_not_there_and_an_empty_text_is() -> None:
    assert find_value("a", [{"a": None}, {"a": ""}, {"a": "late"}]) == ""
    assert find_value("a", [{"a": None}, {}]) is None


def test_variables_are_read_from_json_with_numbers_as_text() -> None:
    (age, risk) = parse_variables(
        [
            {"name": "client_age", "type": "number", "required": True, "default": 40},
            {"name": "risk", "type": "dropdown", "options": ["low", 2], "help_text": "Appetite"},
        ]
    )
    assert age == Variable(name="client_age", type="number", required=True, default="40")
    assert (risk.options, risk.default, risk.required) == (["low", "2"], "", False)


def test_a_variable_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Variable(name="a", type="text").name = "b"


@pytest.mark.parametrize(
    ("json_value", "sentence"),
    [
        ({}, "The variables must be a list, with one entry for each variable."),
        ([3], "Variable 1 in the list: it must be an object with at least a name and a type."),
        ([{"type": "text"}], "Variable 1 in the list: it has no name."),
        ([{"name": "x"}], "Variable x: it has no type."),
        (
            [{"name": "x", "type": "date"}],
            "Variable x: its type must be text, number or dropdown, got 'date'.",
        ),
        ([{"name": "x", "type": "dropdown"}], "Variable x: a dropdown needs at least one option."),
        (
            [{"name": "x", "type": "number", "default": "ten"}],
            "Variable x: its default must be a number, got 'ten'.",
        ),
        (
            [{"name": "x", "type": "text", "required": "maybe"}],
            "Variable x: its required must be true or false, got 'maybe'.",
        ),
        (
            [{"name": "x", "type": "text", "options": "low"}],
            "Variable x: its options must be a list of texts, got 'low'.",
        ),
        (
            [{"name": "x", "type": "text"}] * 2,
            "Variable x is defined twice; give each variable a name of its own.",
        ),
    ],
)
def test_a_bad_definition_is_one_sentence_that_names_the_variable(json_value: object, sentence: str) -> None:
    with pytest.raises(VariableDefinitionError) as caught:
        parse_variables(json_value)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("name", ["client age", "2nd", "", "naïve", "a\n"])
def test_a_name_must_be_able_to_stand_in_a_placeholder(name: str) -> None:
    with pytest.raises(VariableDefinitionError, match="its name may only have letters, digits and underscores"):
        parse_variables([{"name": name, "type": "text"}])


def test_a_dropdowns_default_is_one_of_its_options() -> None:
    entry = {"name": "risk", "type": "dropdown", "options": ["low", "high"]}
    assert parse_variables([entry | {"default": "low"}])[0].default == "low"
    with pytest.raises(VariableDefinitionError, match="risk: its default must be one of low, high; got 'Low'"):
        parse_variables([entry | {"default": "Low"}])


def test_an_unknown_key_is_refused_by_name() -> None:
    with pytest.raises(VariableDefinitionError, match="Variable x: requird is not known"):
        parse_variables([{"name": "x", "type": "text", "requird": True}])


@pytest.mark.parametrize(
    "error",
    [
        TemplateSyntaxError("a mistake", 3, 14, "structure"),
        UnresolvedPrompt([MissingVariable("a", "text")], [InvalidValue("b", "b must be a number, got 'x'")]),
        VariableDefinitionError("Variable x: it has no type."),
    ],
)
def test_errors_survive_pickling(error: Exception) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))

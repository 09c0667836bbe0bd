"""From template and values to the text that Claude reads."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import pytest

from generation.prompts import (
    InvalidValue,
    MissingVariable,
    Segment,
    Template,
    TemplateSyntaxError,
    UnresolvedPrompt,
    Variable,
    parse,
    preview,
    resolve,
    resolve_all,
)

AGE = Variable(name="client_age", type="number", required=True)
RISK = Variable(name="risk", type="dropdown", options=["low", "high"])


def resolved(text: str | Template, *sources: Mapping[str, object], variables: Sequence[Variable] = ()) -> str:
    return resolve(text, variables=variables, sources=sources)


def refusal_of(
    text: str | Template, *sources: Mapping[str, object], variables: Sequence[Variable] = ()
) -> UnresolvedPrompt:
    with pytest.raises(UnresolvedPrompt) as caught:
        resolve(text, variables=variables, sources=sources)
    return caught.value


def test_placeholders_become_values_and_everything_else_stays() -> None:
    assert resolved('{"to": "{{name}}"} \\{{name}}', {"name": "R&D"}) == '{"to": "R&D"} {{name}}'


def test_a_parsed_template_resolves_like_its_text() -> None:
    assert resolved(parse("Dear {{name}}"), {"name": "Ann"}) == "Dear Ann"


def test_the_first_source_that_has_the_name_wins() -> None:
    assert resolved("{{a}}{{b}}{{c}}", {"a": 1, "b": None}, {"a": 2, "b": 2}, {"c": 3}) == "123"


def test_the_default_comes_last() -> None:
    variables = [Variable(name="tone", type="text", default="warm")]
    assert resolved("{{tone}}", {}, variables=variables) == "warm"
    assert resolved("{{tone}}", {"tone": "dry"}, variables=variables) == "dry"


def test_an_explicitly_empty_text_hides_later_sources_and_the_default() -> None:
    variables = [Variable(name="tone", type="text", default="warm")]
    assert resolved("[{{tone}}]", {"tone": ""}, {"tone": "dry"}, variables=variables) == "[]"


def test_an_optional_variable_without_value_is_empty() -> None:
    assert resolved("[{{risk}}]", variables=[RISK]) == "[]"
    assert resolved("[{{risk}}]", {"risk": ""}, variables=[RISK]) == "[]"


def test_a_condition_takes_the_alternative_when_nothing_is_given() -> None:
    assert resolved("{{children ? 'with' : 'without'}} children") == "without children"
    assert resolved("{{children ? 'with' : 'without'}} children", {"children": "0"}) == "without children"
    assert resolved("{{children ? 'with' : 'without'}} children", {"children": 2}) == "with children"


def test_a_condition_reads_the_default() -> None:
    assert resolved("{{x ? 'a' : 'b'}}", variables=[Variable(name="x", type="number", default="0")]) == "b"
    assert resolved("{{x ? 'a' : 'b'}}", variables=[Variable(name="x", type="number", default="1")]) == "a"


def test_literals_are_neither_escaped_nor_expanded() -> None:
    assert resolved("<b>{{x ? '<i>{{y}}' : ''}}", {"x": 1, "y": 2}) == "<b><i>{{y}}"


def test_values_are_escaped_and_never_expanded() -> None:
    sources = {"a": "{{b}} \\{{ <b>", "b": "secret"}
    assert resolved("{{a}}", sources) == "{{b}} \\{{ &lt;b&gt;"


def test_a_value_that_ends_in_an_angle_cannot_open_a_tag_with_the_text_after_it() -> None:
    assert resolved("{{a}}brief>", {"a": "x <"}) == "x &lt;brief>"


def test_all_missing_values_are_told_at_once_with_their_types() -> None:
    error = refusal_of("{{client_age}} {{city}} {{client_age}}", variables=[AGE])
    assert error.missing == (MissingVariable("client_age", "number"), MissingVariable("city", "text"))
    assert str(error) == (
        "2 values are missing: client_age (number), city (text). "
        "Give them as parameters or set a default in the template."
    )


def test_one_missing_dropdown_is_told_with_its_options() -> None:
    error = refusal_of("{{risk}}", variables=[RISK.model_copy(update={"required": True})])
    assert str(error) == (
        "1 value is missing: risk (dropdown: low, high). Give it as a parameter or set a default in the template."
    )


@pytest.mark.parametrize("blank", ["", "  \n", []])
def test_a_required_value_that_is_blank_is_missing(blank: object) -> None:
    assert refusal_of("{{client_age}}", {"client_age": blank}, variables=[AGE]).missing[0].name == "client_age"
    assert refusal_of("{{city}}", {"city": blank}).missing[0].name == "city"


def test_zero_and_false_are_values_and_not_blank() -> None:
    assert resolved("{{client_age}} {{member}}", {"client_age": 0, "member": False}, variables=[AGE]) == "0 no"


def test_a_declared_variable_is_demanded_only_where_the_template_uses_it() -> None:
    assert resolved("no placeholder", variables=[AGE]) == "no placeholder"
    assert refusal_of("{{client_age ? 'a' : 'b'}}", variables=[AGE]).missing[0].name == "client_age"


def test_an_undeclared_name_is_required_once_its_value_is_placed() -> None:
    assert refusal_of("{{x ? 'a' : 'b'}} {{x}}").missing == (MissingVariable("x", "text"),)


@pytest.mark.parametrize("value", [41, 41.0, Decimal(41), "41"])
def test_numbers_are_taken_in_any_form(value: object) -> None:
    assert resolved("{{client_age}}", {"client_age": value}, variables=[AGE]) == "41"


def test_all_mistyped_values_are_told_at_once() -> None:
    error = refusal_of(
        "{{client_age}} {{risk ? 'a' : 'b'}}",
        {"client_age": "forty", "risk": "medium"},
        variables=[AGE, RISK],
    )
    assert error.missing == ()
    assert error.invalid == (
        InvalidValue("client_age", "client_age must be a number, got 'forty'"),
        InvalidValue("risk", "risk must be one of low, high; got 'medium'"),
    )
    assert str(error) == f"{error.invalid[0]}; {error.invalid[1]}."


def test_missing_and_mistyped_values_are_told_together() -> None:
    error = refusal_of("{{city}} {{client_age}}", {"client_age": True}, variables=[AGE])
    assert str(error) == (
        "1 value is missing: city (text). Give it as a parameter or set a default in the template. "
        "client_age must be a number, got 'yes'."
    )


def test_a_long_wrong_value_is_shortened_in_the_message() -> None:
    message = refusal_of("{{client_age}}", {"client_age": "x" * 5000}, variables=[AGE]).invalid[0].message
    assert len(message) < 120


def test_texts_that_belong_together_are_resolved_together() -> None:
    texts = {"system_prompt": "Be {{tone}}.", "structure": "On {{topic}}"}
    assert resolve_all(texts, variables=[], sources=[{"tone": "warm", "topic": "debt"}]) == {
        "system_prompt": "Be warm.",
        "structure": "On debt",
    }


def test_problems_of_all_texts_are_told_at_once_and_each_name_once() -> None:
    texts = {
        "system_prompt": "{{tone ? 'a' : 'b'}} {{client_age}}",
        "structure": "{{tone}} {{client_age}} {{city}}",
    }
    with pytest.raises(UnresolvedPrompt) as caught:
        resolve_all(texts, variables=[AGE], sources=[{"client_age": "old"}])
    assert [problem.name for problem in caught.value.missing] == ["tone", "city"]
    assert [problem.name for problem in caught.value.invalid] == ["client_age"]


def test_a_syntax_error_says_in_which_of_the_texts_it_is() -> None:
    with pytest.raises(TemplateSyntaxError) as caught:
        resolve_all({"system_prompt": "fine", "structure": "a\n {{b"}, variables=[], sources=[])
    assert str(caught.value) == "structure, line 2, column 2: this placeholder is never closed; add }}"


def test_a_preview_marks_values_and_what_is_missing() -> None:
    text = "Dear {{name}}, {{vip ? 'welcome' : 'hello'}} {{city}}"
    assert preview(text, variables=[], sources=[{"name": "<Ann>"}]) == [
        Segment("text", "Dear "),
        Segment("value", "&lt;Ann&gt;", "name"),
        Segment("text", ", "),
        Segment("text", "hello", "vip"),
        Segment("text", " "),
        Segment("missing", "{{city}}", "city"),
    ]


def test_a_preview_shows_a_required_condition_as_missing_and_a_mistyped_value_as_it_is() -> None:
    text = "{{client_age ? 'a' : 'b'}}{{risk}}"
    assert preview(text, variables=[AGE, RISK], sources=[{"risk": "medium"}]) == [
        Segment("missing", "{{client_age}}", "client_age"),
        Segment("value", "medium", "risk"),
    ]


def test_a_preview_refuses_bad_syntax() -> None:
    with pytest.raises(TemplateSyntaxError):
        preview("{{", variables=[], sources=[])

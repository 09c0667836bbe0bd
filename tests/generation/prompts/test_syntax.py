"""What a template may contain, and how a mistake in it is reported."""

import pytest

from generation.prompts import Conditional, Placeholder, TemplateSyntaxError, Text, parse


def refusal_of(text: str) -> TemplateSyntaxError:
    with pytest.raises(TemplateSyntaxError) as caught:
        parse(text)
    return caught.value


def literals_of(text: str) -> tuple[str, str]:
    (part,) = parse(text).parts
    assert isinstance(part, Conditional)
    return part.then, part.otherwise


@pytest.mark.parametrize("source", ["{{topic}}", "{{ topic }}", "{{\n\ttopic\n}}"])
def test_a_placeholder_may_have_white_space_inside_its_braces(source: str) -> None:
    assert parse(source).parts == (Placeholder("topic", line=1, column=1, start=0, end=len(source)),)


@pytest.mark.parametrize("source", ["{{kind ? 'a' : \"b\"}}", "{{kind?'a':\"b\"}}", "{{ kind\n? 'a'\n: \"b\"\n}}"])
def test_a_conditional_has_two_literals_in_either_kind_of_quotes(source: str) -> None:
    assert parse(source).parts == (Conditional("kind", "a", "b", line=1, column=1, start=0, end=len(source)),)


def test_a_literal_knows_four_escapes() -> None:
    assert literals_of(r"""{{x ? 'don\'t say \"no\"' : "a\\b\nc"}}""") == ("""don't say "no\"""", "a\\b\nc")


def test_a_literal_holds_braces_other_quotes_and_line_breaks_as_they_are() -> None:
    assert literals_of("""{{x ? '{{y}} and "so"\non' : ''}}""") == ('{{y}} and "so"\non', "")


def test_parts_say_where_they_stand() -> None:
    source = "Dear {{name}},\n\\{{ok}} {{vip ? 'a' : 'b'}}!"
    assert parse(source).parts == (
        Text("Dear ", 0, 5),
        Placeholder("name", line=1, column=6, start=5, end=13),
        Text(",\n{{ok}} ", 13, 23),
        Conditional("vip", "a", "b", line=2, column=9, start=23, end=42),
        Text("!", 42, 43),
    )


def test_an_escaped_opening_can_stand_right_before_a_placeholder() -> None:
    assert parse(r"\{{{{a}}").parts == (Text("{{", 0, 3), Placeholder("a", 1, 4, 3, 8))


@pytest.mark.parametrize("text", ['{"turns": [{"role": "user"}]}', "}}", "{ {a} }", "C:\\{x}", "\\", "{", ""])
def test_json_single_braces_and_lone_closings_are_text(text: str) -> None:
    assert parse(text).parts == ((Text(text, 0, len(text)),) if text else ())


def test_names_come_once_in_order_and_conditions_are_not_needed() -> None:
    template = parse("{{b}} {{a ? 'x' : 'y'}} {{c}} {{b}} {{c ? 'x' : 'y'}}")
    assert template.names == ("b", "a", "c")
    assert template.needed_names == ("b", "c")


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("one\ntwo\nand then says {{name", 3, 15, "this placeholder is never closed; add }}"),
        ("{{name and so on\n{{topic}}", 1, 1, "this placeholder is never closed; add }}"),
        ("{{", 1, 1, "this placeholder is never closed; add }}"),
        ("{{x ? 'a' : 'b'", 1, 1, "this placeholder is never closed; add }}"),
        ("{{name}", 1, 7, "a placeholder ends with two braces; write }} here"),
        ("a {{ }}", 1, 3, "this placeholder has no name"),
        ("{{{name}}}", 1, 3, "two braces, not three"),
        ("{{2nd}}", 1, 3, "a name cannot begin with a digit"),
        ("{{%x}}", 1, 3, r"if you mean the two braces themselves, write \{{"),
        ("{{client age}}", 1, 10, "write {{client_age}}"),
        ("{{client-age}}", 1, 9, "write {{client_age}}"),
        ("{{name|upper}}", 1, 7, "'|' cannot stand after the name"),
        ("{{x ? a : b}}", 1, 7, "after ? comes a text in quotes"),
        ("{{x ? 'a' : b}}", 1, 13, "after : comes the alternative in quotes"),
        ("{{x ? 'a'}}", 1, 10, "here the alternative is missing"),
        ("{{x ? 'a' : 'b' }", 1, 17, "add }} here"),
        ("{{x ? ‘a’ : 'b'}}", 1, 7, "typographic quote"),
        ("{{x ? 'don't' : 'b'}}", 1, 12, r"for ' inside it write \'"),
        ("{{x ?\n 'a : ''}}", 2, 8, "here the alternative is missing"),
        ("{{x ? 'a}}", 1, 7, "this quoted text is never closed; add '"),
        (r"{{x ? 'a\d' : ''}}", 1, 9, r"write \\ for a backslash"),
        ("{{x ? 'a\\", 1, 9, r"write \\ for a backslash"),
    ],
)
def test_a_mistake_is_reported_where_it_is_and_with_what_to_write_instead(
    text: str, line: int, column: int, words: str
) -> None:
    error = refusal_of(text)
    assert (error.line, error.column) == (line, column)
    assert words in error.message


def test_the_message_begins_with_the_place() -> None:
    assert str(refusal_of("\n\n{{a b}}")).startswith("line 3, column 5: a name has only letters")


@pytest.mark.parametrize(
    "text",
    [
        "{{a}} " * 170_000,
        "{{a ? 'x' : 'y'}}\n" * 55_000,
        "\\{{" * 330_000,
        "{{a ? '" + "b\\n" * 330_000 + "' : ''}}",
        "{ }} \n" * 160_000,
    ],
    ids=["placeholders", "conditionals", "escaped braces", "one literal", "lone braces"],
)
def test_a_template_of_a_megabyte_is_read_in_one_pass(text: str) -> None:
    assert parse.__wrapped__(text).parts[-1].end == len(text)


@pytest.mark.parametrize(
    "text",
    ["{{" + " " * 1_000_000, "{{a ? '" + "b" * 1_000_000, "{{a " + "b " * 500_000 + "}}", "{" * 1_000_000],
    ids=["white space", "open literal", "words", "braces"],
)
def test_a_mistake_in_a_megabyte_is_found_in_one_pass(text: str) -> None:
    assert refusal_of(text).line == 1

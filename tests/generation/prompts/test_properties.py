"""What holds for every template and every value."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from generation.prompts import (
    Conditional,
    Part,
    Placeholder,
    Template,
    TemplateSyntaxError,
    Text,
    UnresolvedPrompt,
    escape_tags,
    parse,
    preview,
    resolve,
)

TAG_OPENING = re.compile(r"<[A-Za-z/!?]")

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True)
mischievous_text = st.lists(
    st.sampled_from(["{", "{{", "}}", "}", "\\", "\\{{", "?", ":", "'", '"', "a", "b1", " ", "\n", "<", ">", "{{a}}"])
    | st.text(max_size=3),
    max_size=12,
).map("".join)
plain_parts = st.builds(Text, mischievous_text.filter(bool), st.just(0), st.just(0))
placeholders = st.builds(Placeholder, names, *[st.just(0)] * 4)
conditionals = st.builds(Conditional, names, mischievous_text, mischievous_text, *[st.just(0)] * 4)
part_lists = st.lists(plain_parts | placeholders | conditionals, max_size=8)


def written(part: Part) -> str:
    """The source that a curator would write for a part."""
    match part:
        case Text(text):
            return text.replace("{{", "\\{{")
        case Placeholder(name):
            return f"{{{{{name}}}}}"
        case Conditional(name, then, otherwise):
            return f"{{{{ {name} ? {quoted(then)} : {quoted(otherwise)} }}}}"


def quoted(text: str) -> str:
    quote = "'" if '"' in text else '"'
    return quote + text.replace("\\", "\\\\").replace(quote, f"\\{quote}") + quote


def source_of(parts: Sequence[Part]) -> str:
    """Join the parts; a space keeps braces and backslashes at a text's edge from touching a placeholder."""
    return " ".join(written(part) for part in parts)


def read_or_refused(text: str) -> Template | TemplateSyntaxError:
    try:
        return parse(text)
    except TemplateSyntaxError as error:
        return error


def meaning(parts: Sequence[Part]) -> list[tuple[str, ...]]:
    """What the parts say, without where they stand; neighbouring texts as one."""
    said: list[tuple[str, ...]] = []
    for part in parts:
        match part:
            case Text(text) if said and said[-1][0] == "text":
                said[-1] = ("text", said[-1][1] + text)
            case Text(text):
                said.append(("text", text))
            case Placeholder(name):
                said.append(("placeholder", name))
            case Conditional(name, then, otherwise):
                said.append(("conditional", name, then, otherwise))
    return said


def with_spaces(parts: Sequence[Part]) -> list[Part]:
    spaced: list[Part] = [piece for part in parts for piece in (Text(" ", 0, 0), part)]
    return spaced[1:]


@given(st.text() | mischievous_text)
def test_text_without_openings_resolves_to_itself(text: str) -> None:
    assume("{{" not in text)
    assert resolve(text, variables=[], sources=[]) == text


@given(st.text() | mischievous_text)
def test_any_text_is_read_or_refused_at_a_place_inside_it(text: str) -> None:
    match read_or_refused(text):
        case Template(parts):
            assert "".join(text[part.start : part.end] for part in parts) == text
        case TemplateSyntaxError(line=line, column=column):
            assert line >= 1
            assert 1 <= column <= len(text.split("\n")[line - 1])


@given(part_lists)
def test_what_is_written_is_read_back(parts: Sequence[Part]) -> None:
    assert meaning(parse(source_of(parts)).parts) == meaning(with_spaces(parts))


@given(part_lists)
def test_line_and_column_point_at_the_opening_braces(parts: Sequence[Part]) -> None:
    source = source_of(parts)
    for part in parse(source).parts:
        if not isinstance(part, Text):
            assert source.split("\n")[part.line - 1].startswith("{{", part.column - 1)
            assert source.startswith("{{", part.start)


@given(mischievous_text.filter(str.strip))
def test_a_value_appears_once_escaped_and_never_expanded(value: str) -> None:
    assert resolve("[{{a}}]", variables=[], sources=[{"a": value, "b1": "no"}]) == f"[{escape_tags(value)}]"


@given(st.text() | mischievous_text)
def test_escaping_twice_changes_nothing_and_text_without_angles_stays(text: str) -> None:
    assert escape_tags(escape_tags(text)) == escape_tags(text)
    if "<" not in text:
        assert escape_tags(text) == text
    assert escape_tags(text).replace("&lt;", "<").replace("&gt;", ">") == text.replace("&lt;", "<").replace("&gt;", ">")


@given(
    st.lists(
        st.sampled_from(["{{a}}", "{{b}}", "{{a ? 'x>' : '/y'}}", "/brief>", "!-- ", "?", "b", "> ", "< "]),
        max_size=8,
    ),
    st.fixed_dictionaries({"a": mischievous_text, "b": mischievous_text}),
)
def test_no_value_opens_a_tag_not_even_with_the_text_after_it(pieces: list[str], values: dict[str, str]) -> None:
    assume(all(value.strip() for value in values.values()))
    template = "".join(pieces)
    assume(not TAG_OPENING.search(template))
    assert not TAG_OPENING.search(resolve(template, variables=[], sources=[values]))


@given(part_lists, st.sets(names))
def test_every_missing_name_is_told_and_no_other(parts: Sequence[Part], given_names: set[str]) -> None:
    template = parse(source_of(parts))
    missing = tuple(name for name in template.needed_names if name not in given_names)
    sources = [dict.fromkeys(given_names, "value")]
    if not missing:
        resolve(template, variables=[], sources=sources)
        return
    with pytest.raises(UnresolvedPrompt) as caught:
        resolve(template, variables=[], sources=sources)
    assert {problem.name for problem in caught.value.missing} == set(missing)


@given(st.lists(st.none() | st.integers(), min_size=1, max_size=5).filter(any))
def test_the_first_source_that_has_the_name_wins(values: dict[str, str]) -> None:
    winner = next(value for value in values if value is not None)
    assert resolve("{{a}}", variables=[], sources=[{"a": value} for value in values]) == str(winner)


@given(part_lists, st.dictionaries(names, mischievous_text))
def test_a_preview_joined_is_the_resolved_text_and_otherwise_marks_what_is_missing(
    parts: Sequence[Part], values: dict[str, str]
) -> None:
    template = parse(source_of(parts))
    segments = preview(template, variables=[], sources=[values])
    marked = {segment.name for segment in segments if segment.kind == "missing"}
    if not marked:
        joined = "".join(segment.text for segment in segments)
        assert joined == resolve(template, variables=[], sources=[values])
        return
    with pytest.raises(UnresolvedPrompt) as caught:
        resolve(template, variables=[], sources=[values])
    assert marked == {problem.name for problem in caught.value.missing}

"""Put values into a template: ``resolve`` for Claude, ``preview`` for the curator's eyes, one path for both.

First every name that the texts use is settled (found, checked, written out), then the parts become segments.
A value is set in as it is and never read as a template again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from generation.prompts.errors import InvalidValue, MissingVariable, TemplateSyntaxError, UnresolvedPrompt
from generation.prompts.syntax import parse
from generation.prompts.template import Part, Placeholder, Template, Text
from generation.prompts.values import escape_tags, find_value, is_yes, readable_text
from generation.prompts.variables import Variable

Sources = Sequence[Mapping[str, object]]


@dataclass(frozen=True)
class Segment:
    """A stretch of a resolved prompt.

    ``text``: the template's own words; ``name`` is empty, or the name that decided between two literals.
    ``value``: what stands for the placeholder ``name``, escaped, even if its type is wrong; may be empty.
    ``missing``: a required value that nobody gave; its text is ``{{name}}``.
    """

    kind: Literal["text", "value", "missing"]
    text: str
    name: str = ""


@dataclass(frozen=True)
class _Settled:
    """What became of one name: its value, how it reads, and what is wrong with it."""

    value: object
    text: str
    problem: MissingVariable | InvalidValue | None = None


def resolve(text: str | Template, *, variables: Sequence[Variable], sources: Sources) -> str:
    """Return the text with every placeholder replaced.

    ``sources`` stand in order of precedence and the first that has a name wins; None in a source is "not
    there", an empty string is there and empty. The default of a declared variable comes last. A name that is
    not declared is required text where its value is placed, and optional where it only decides a condition.

    Raises ``TemplateSyntaxError``, or ``UnresolvedPrompt`` with everything that is missing or mistyped.
    """
    return resolve_all({"": text}, variables=variables, sources=sources)[""]


def resolve_all(
    texts: Mapping[str, str | Template], *, variables: Sequence[Variable], sources: Sources
) -> dict[str, str]:
    """Resolve texts that belong together, keyed by name ("system_prompt", "structure").

    ``UnresolvedPrompt`` tells the problems of all of them, each name once; a ``TemplateSyntaxError`` is that
    of the first text that has one, and says which text it is.
    """
    templates = {text_name: _template(text, text_name) for text_name, text in texts.items()}
    settled = _settle_names(templates.values(), variables, sources)
    _refuse_problems(settled.values())
    return {
        text_name: "".join(segment.text for segment in _segments(template, settled))
        for text_name, template in templates.items()
    }


def preview(text: str | Template, *, variables: Sequence[Variable], sources: Sources) -> list[Segment]:
    """Return the segments of the resolved text, with missing values marked instead of refused.

    Raises ``TemplateSyntaxError`` only. Where ``resolve`` succeeds, the texts of the segments joined are its
    result.
    """
    template = _template(text)
    return _segments(template, _settle_names([template], variables, sources))


def _template(text: str | Template, text_name: str = "") -> Template:
    if isinstance(text, Template):
        return text
    try:
        return parse(text)
    except TemplateSyntaxError as error:
        raise TemplateSyntaxError(error.message, error.line, error.column, text_name) from None


def _settle_names(
    templates: Iterable[Template], variables: Sequence[Variable], sources: Sources
) -> dict[str, _Settled]:
    """Settle each name that the templates use, once; a declared variable that none uses is not asked for."""
    templates = list(templates)
    declared = {variable.name: variable for variable in variables}
    needed = {name for template in templates for name in template.needed_names}
    names = dict.fromkeys(name for template in templates for name in template.names)
    return {name: _settle(declared.get(name) or _undeclared(name, name in needed), sources) for name in names}


def _undeclared(name: str, needed: bool) -> Variable:
    return Variable(name=name, type="text", required=needed)


def _settle(variable: Variable, sources: Sources) -> _Settled:
    found = find_value(variable.name, sources)
    value = variable.default if found is None else found
    text = readable_text(value)
    if text.strip():
        return _Settled(value, escape_tags(text), variable.complaint_about(value))
    return _Settled(value, text, variable.as_missing() if variable.required else None)


def _refuse_problems(settled: Iterable[_Settled]) -> None:
    problems = [name.problem for name in settled if name.problem is not None]
    if problems:
        raise UnresolvedPrompt(
            missing=[problem for problem in problems if isinstance(problem, MissingVariable)],
            invalid=[problem for problem in problems if isinstance(problem, InvalidValue)],
        )


def _segments(template: Template, settled: Mapping[str, _Settled]) -> list[Segment]:
    return [_segment(part, settled) for part in template.parts]


def _segment(part: Part, settled: Mapping[str, _Settled]) -> Segment:
    if isinstance(part, Text):
        return Segment("text", part.text)
    outcome = settled[part.name]
    if isinstance(outcome.problem, MissingVariable):
        return Segment("missing", f"{{{{{part.name}}}}}", part.name)
    if isinstance(part, Placeholder):
        return Segment("value", outcome.text, part.name)
    return Segment("text", part.then if is_yes(outcome.value) else part.otherwise, part.name)

r"""Read the text of a template.

::

    {{name}}                             the value of name
    {{name ? 'text' : 'alternative'}}    one of two literals, in single or double quotes
    \{{                                  two braces, as text

White space inside the braces is free. In a literal ``\'``, ``\"``, ``\\`` and ``\n`` are escapes; it may
span lines and holds every other character as it is, ``{{`` and ``}}`` included. A lone ``}}`` and single
braces are text. Anything else is a ``TemplateSyntaxError``. Reading takes time linear in the length of the
text: one pass, and no pattern that can match the same characters in two ways.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import NoReturn

from generation.prompts.errors import TemplateSyntaxError
from generation.prompts.template import NAME_PATTERN, Conditional, Part, Placeholder, Template, Text

_OPENING = re.compile(r"\\?\{\{")
_SPACE = re.compile(r"\s*")
_TOKENS = {token: re.compile(rf"\s*{re.escape(token)}") for token in ("}}", "?", ":")}
_LITERAL_STOP = {"'": re.compile(r"['\\]"), '"': re.compile(r'["\\]')}
_ESCAPES = {"'": "'", '"': '"', "\\": "\\", "n": "\n"}
_CURLY_QUOTES = "‘’‚“”„«»"
_WORD_BREAKS = re.compile(r"[\s.\-]+")
_LONGEST_SUGGESTION = 60  # characters; a longer "name" is a sentence, not a slip of the keyboard

_CONDITION_EXAMPLE = "{{name ? 'text' : 'alternative'}}"
_NEVER_CLOSED = "this placeholder is never closed; add }}"


@lru_cache(maxsize=128)
def parse(text: str) -> Template:
    """Return the parts of the template, or raise ``TemplateSyntaxError`` at the first mistake.

    The last 128 texts are remembered: a batch reads each of its templates once.
    """
    return Template(tuple(_Reader(text).parts()))


class _Reader:
    """Goes through a source once, from left to right; ``position`` is the offset of the next character."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0
        self.line_starts = [0, *(newline.end() for newline in re.finditer("\n", source))]

    def parts(self) -> Iterator[Part]:
        while self.position < len(self.source):
            yield self.placeholder() if self.sees("{{") else self.text()

    def text(self) -> Text:
        start, pieces = self.position, []
        while opening := _OPENING.search(self.source, self.position):
            pieces.append(self.source[self.position : opening.start()])
            self.position = opening.start()
            if self.sees("{{"):
                break
            pieces.append("{{")
            self.position = opening.end()
        else:
            pieces.append(self.source[self.position :])
            self.position = len(self.source)
        return Text("".join(pieces), start, self.position)

    def placeholder(self) -> Placeholder | Conditional:
        start = self.position
        self.position += len("{{")
        name = self.name(start)
        if self.took("}}"):
            return Placeholder(name, *self.line_and_column(start), start, self.position)
        if self.took("?"):
            then, otherwise = self.branches(start)
            return Conditional(name, then, otherwise, *self.line_and_column(start), start, self.position)
        self.refuse_after_name(start)

    def name(self, start: int) -> str:
        self.skip_space()
        match = NAME_PATTERN.match(self.source, self.position)
        if match is None:
            self.refuse_name(start)
        self.position = match.end()
        return match[0]

    def branches(self, start: int) -> tuple[str, str]:
        """Read ``'text' : 'alternative'}}``, the position being after the question mark."""
        then = self.literal(start, "after ? comes a text in quotes")
        if not self.took(":"):
            self.refuse_after_literal(start, f"here the alternative is missing; write {_CONDITION_EXAMPLE}")
        otherwise = self.literal(start, "after : comes the alternative in quotes, '' for none")
        if not self.took("}}"):
            self.refuse_after_literal(start, "after the alternative the placeholder ends; add }} here")
        return then, otherwise

    def literal(self, start: int, expectation: str) -> str:
        self.skip_space()
        opening = self.position
        quote = self.source[opening : opening + 1]
        if quote and quote in _CURLY_QUOTES:
            self.fail(opening, f"{quote} is a typographic quote; write a straight one, ' or \"")
        if quote not in _LITERAL_STOP:
            self.fail_inside(start, f"{expectation}, as in {_CONDITION_EXAMPLE}")
        self.position += 1
        pieces = []
        while stop := _LITERAL_STOP[quote].search(self.source, self.position):
            pieces.append(self.source[self.position : stop.start()])
            self.position = stop.end()
            if stop[0] == quote:
                return "".join(pieces)
            pieces.append(self.escaped())
        self.fail(opening, f"this quoted text is never closed; add {quote} where it ends")

    def escaped(self) -> str:
        r"""Read the character after a backslash."""
        character = self.source[self.position : self.position + 1]
        if character not in _ESCAPES:
            message = r"""after a backslash only ', ", \ or n can stand; write \\ for a backslash"""
            self.fail(self.position - 1, message)
        self.position += 1
        return _ESCAPES[character]

    # Moving on

    def sees(self, token: str) -> bool:
        return self.source.startswith(token, self.position)

    def took(self, token: str) -> bool:
        """Skip white space, and the token if it comes next."""
        match = _TOKENS[token].match(self.source, self.position)
        if match is None:
            self.skip_space()
            return False
        self.position = match.end()
        return True

    def skip_space(self) -> None:
        match = _SPACE.match(self.source, self.position)
        self.position = match.end() if match else self.position

    def line_and_column(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    # Refusing, in a curator's words

    def fail(self, offset: int, message: str) -> NoReturn:
        raise TemplateSyntaxError(message, *self.line_and_column(offset))

    def fail_inside(self, start: int, message: str) -> NoReturn:
        """Refuse the next character; if the text is at its end, the placeholder that began at ``start``."""
        if self.position == len(self.source):
            self.fail(start, _NEVER_CLOSED)
        self.fail(self.position, message)

    def refuse_name(self, start: int) -> NoReturn:
        character = self.source[self.position : self.position + 1]
        if self.sees("}}"):
            self.fail(start, "this placeholder has no name; write one in the braces, as in {{client_age}}")
        if self.position == start + len("{{") and character == "{":
            self.fail(self.position, "a placeholder begins with two braces, not three; remove this one")
        if character.isdigit():
            self.fail(self.position, f"a name cannot begin with a digit; put a letter before {character}")
        self.fail_inside(
            start,
            f"after {{{{ comes a name such as client_age, not {character!r}; "
            r"if you mean the two braces themselves, write \{{",
        )

    def refuse_after_name(self, start: int) -> NoReturn:
        if self.sees("}"):
            self.fail(self.position, "a placeholder ends with two braces; write }} here")
        inside = self.inside_this_line(start)
        if inside is None:
            self.fail(start, _NEVER_CLOSED)
        suggestion = _WORD_BREAKS.sub("_", inside.strip())
        if len(suggestion) <= _LONGEST_SUGGESTION and NAME_PATTERN.fullmatch(suggestion):
            self.fail(self.position, f"a name has only letters, digits and underscores; write {{{{{suggestion}}}}}")
        self.fail(
            self.position,
            f"{self.source[self.position]!r} cannot stand after the name; write {{{{name}}}} or {_CONDITION_EXAMPLE}",
        )

    def refuse_after_literal(self, start: int, message: str) -> NoReturn:
        previous, character = self.source[self.position - 1], self.source[self.position : self.position + 1]
        if previous in _LITERAL_STOP and character.isalpha():
            message = rf"the quoted text ends before this letter; for {previous} inside it write \{previous}"
        self.fail_inside(start, message)

    def inside_this_line(self, start: int) -> str | None:
        """What stands between the braces, or None if the line or another placeholder comes before the end."""
        closing = self.source.find("}}", self.position)
        inside = self.source[start + len("{{") : max(closing, 0)]
        return None if closing < 0 or "{{" in inside or "\n" in inside.strip() else inside

"""What a parsed template is made of.

Each part knows its place: ``start`` and ``end`` are offsets into the source, so that ``source[start:end]``
is what the curator wrote, and the parts one after the other cover the whole source. ``line`` and ``column``
count from 1 and point at the opening ``{{``.
"""

import re
from dataclasses import dataclass
from functools import cached_property

NAME_PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""How a variable is named; use it with ``fullmatch``."""


@dataclass(frozen=True, slots=True)
class Text:
    """Words that stay as they are; ``text`` has an escaped ``\\{{`` already written as ``{{``."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Placeholder:
    """``{{name}}``: the value stands here."""

    name: str
    line: int
    column: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Conditional:
    """``{{name ? 'then' : 'otherwise'}}``: one of two literals stands here; the value only decides which."""

    name: str
    then: str
    otherwise: str
    line: int
    column: int
    start: int
    end: int


Part = Text | Placeholder | Conditional


@dataclass(frozen=True)
class Template:
    """A template that has been read; equal sources give equal templates."""

    parts: tuple[Part, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every name that the template uses, once, in order of first use."""
        return tuple(dict.fromkeys(part.name for part in self.parts if not isinstance(part, Text)))

    @cached_property
    def needed_names(self) -> tuple[str, ...]:
        """The names whose value stands in the text itself, once, in order of first use."""
        return tuple(dict.fromkeys(part.name for part in self.parts if isinstance(part, Placeholder)))

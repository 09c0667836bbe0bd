"""What the source of a model says in comments: of its fields, and of what `Meta` lists by name.

A comment stands above a declaration or beside its last line. Above the first field of a paragraph it holds for all of
the paragraph that have none of their own.
"""

import ast
import inspect
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from django.db import models

LISTS = ("constraints", "indexes", "triggers")


@dataclass
class Comments:
    """Sentences by the name of a field, and by the `name=` of a constraint, index or trigger."""

    fields: dict[str, str] = field(default_factory=dict)
    declared: dict[str, str] = field(default_factory=dict)


def comments_of(model: type[models.Model]) -> Comments:
    """Those of a model and of the abstract ones that it is made from. None for a model that was made by code."""
    found = Comments()
    for ancestor in reversed(model.__mro__):
        if issubclass(ancestor, models.Model) and ancestor is not models.Model:
            file = inspect.getsourcefile(ancestor)
            own = comments_in(_text_of(file), ancestor.__name__) if file else Comments()
            found.fields |= own.fields
            found.declared |= own.declared
    return found


@cache
def comments_in(text: str, model: str) -> Comments:
    """Those of the class `model` of a module's text."""
    source = _Source(text)
    for statement in source.tree.body:
        if isinstance(statement, ast.ClassDef) and statement.name == model:
            return Comments(dict(source.of_fields(statement)), dict(source.of_lists(statement)))
    return Comments()


@cache
def _text_of(file: str) -> str:
    return Path(file).read_text()


class _Source:
    """A module's syntax tree with its comments, by line."""

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        self.whole_lines: dict[int, str] = {}
        self.line_ends: dict[int, str] = {}
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                alone = token.line.strip() == token.string
                (self.whole_lines if alone else self.line_ends)[token.start[0]] = token.string.lstrip("# ")

    def of_fields(self, model: ast.ClassDef) -> Iterator[tuple[str, str]]:
        paragraph, end = "", model.lineno
        for statement in model.body:
            above = self._above(statement)
            if self._first_line(statement) > end + 1:
                paragraph = above
            end = statement.end_lineno or statement.lineno
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                yield statement.targets[0].id, _sentence(self.line_ends.get(end) or above or paragraph)

    def of_lists(self, model: ast.ClassDef) -> Iterator[tuple[str, str]]:
        """Of all calls with a `name=`, however the list is put together."""
        for call in _calls_in_meta(model):
            names = [keyword.value for keyword in call.keywords if keyword.arg == "name"]
            if names and isinstance(names[0], ast.Constant):
                comment = self.line_ends.get(call.end_lineno or call.lineno) or self._above(call)
                yield str(names[0].value), _sentence(comment)

    def _above(self, node: ast.stmt | ast.expr) -> str:
        return " ".join(self.whole_lines[line] for line in range(self._first_line(node), node.lineno))

    def _first_line(self, node: ast.stmt | ast.expr) -> int:
        """Of a declaration with the comment above it."""
        first = node.lineno
        while first - 1 in self.whole_lines:
            first -= 1
        return first


def _calls_in_meta(model: ast.ClassDef) -> Iterator[ast.Call]:
    for meta in model.body:
        if isinstance(meta, ast.ClassDef) and meta.name == "Meta":
            for option in meta.body:
                if isinstance(option, ast.Assign) and ast.unparse(option.targets[0]) in LISTS:
                    yield from (node for node in ast.walk(option.value) if isinstance(node, ast.Call))


def _sentence(comment: str) -> str:
    if not comment:
        return ""
    return comment[0].upper() + comment[1:] + ("" if comment[-1] in ".:!?…" else ".")

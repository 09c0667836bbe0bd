"""What can be wrong with a prompt, named by what the caller does next.

::

    PromptError
    ├── TemplateSyntaxError       correct the template's text at line and column
    ├── VariableDefinitionError   correct the template's list of variables
    └── UnresolvedPrompt          give the missing values, correct the mistyped ones

Every message is written for a curator and can be shown as it is. The arguments of each exception are its
fields, so that it survives pickling between processes.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class PromptError(Exception):
    """Any problem of a prompt that a person has to put right; trying again does not help."""


class TemplateSyntaxError(PromptError):
    """The text of a template cannot be read.

    ``line`` and ``column`` count from 1 and point at the offending character. ``text_name`` says which of
    several texts is meant ("structure"), and is empty where there is only one.
    """

    def __init__(self, message: str, line: int, column: int, text_name: str = "") -> None:
        super().__init__(message, line, column, text_name)
        self.message = message
        self.line = line
        self.column = column
        self.text_name = text_name

    def __str__(self) -> str:
        owner = f"{self.text_name}, " if self.text_name else ""
        return f"{owner}line {self.line}, column {self.column}: {self.message}"


class VariableDefinitionError(PromptError):
    """A variable of a template is not defined properly; the message is one sentence that names it."""


@dataclass(frozen=True)
class MissingVariable:
    """A value that the prompt needs and nobody gave; ``options`` are a dropdown's choices."""

    name: str
    type: str
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        choices = f": {', '.join(self.options)}" if self.options else ""
        return f"{self.name} ({self.type}{choices})"


@dataclass(frozen=True)
class InvalidValue:
    """A value of the wrong type; ``message`` is "client_age must be a number, got 'forty'"."""

    name: str
    message: str

    def __str__(self) -> str:
        return self.message


class UnresolvedPrompt(PromptError):
    """Values are missing or mistyped; both lists are complete, in the order in which the texts use them."""

    def __init__(self, missing: Sequence[MissingVariable] = (), invalid: Sequence[InvalidValue] = ()) -> None:
        super().__init__(tuple(missing), tuple(invalid))
        self.missing = tuple(missing)
        self.invalid = tuple(invalid)

    def __str__(self) -> str:
        sentences = [_missing_sentences(self.missing)] if self.missing else []
        if self.invalid:
            sentences.append("; ".join(map(str, self.invalid)) + ".")
        return " ".join(sentences)


def _missing_sentences(missing: Sequence[MissingVariable]) -> str:
    names = ", ".join(map(str, missing))
    if len(missing) == 1:
        counted, remedy = "1 value is missing", "Give it as a parameter"
    else:
        counted, remedy = f"{len(missing)} values are missing", "Give them as parameters"
    return f"{counted}: {names}. {remedy} or set a default in the template."

"""Prompt resolution: from a curator's template and a conversation's values to the text that Claude reads."""

from generation.prompts.errors import (
    InvalidValue,
    MissingVariable,
    PromptError,
    TemplateSyntaxError,
    UnresolvedPrompt,
    VariableDefinitionError,
)
from generation.prompts.resolve import Segment, Sources, preview, resolve, resolve_all
from generation.prompts.syntax import parse
from generation.prompts.template import Conditional, Part, Placeholder, Template, Text
from generation.prompts.values import escape_tags, is_yes
from generation.prompts.variables import Variable, parse_variables

__all__ = [
    "Conditional",
    "InvalidValue",
    "MissingVariable",
    "Part",
    "Placeholder",
    "PromptError",
    "Segment",
    "Sources",
    "Template",
    "TemplateSyntaxError",
    "Text",
    "UnresolvedPrompt",
    "Variable",
    "VariableDefinitionError",
    "escape_tags",
    "is_yes",
    "parse",
    "parse_variables",
    "preview",
    "resolve",
    "resolve_all",
]

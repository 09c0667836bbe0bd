"""What people may write into a template or a workspace: whatever Claude could be asked with. Pages and API ask here."""

from django.core.exceptions import ValidationError

from conversations.models import PromptTemplate
from conversations.models.configuration import Configured
from generation.configuration import Configuration, configuration_of
from generation.prompts import TemplateSyntaxError, VariableDefinitionError, parse, parse_variables


def check_prompt(text: str) -> None:
    """Raises ValidationError where a text of a template cannot be read, and says in which line and column."""
    try:
        parse(text)
    except TemplateSyntaxError as error:
        raise ValidationError(f"Line {error.line}, column {error.column}: {error.message}.") from error


def check_variables(variables: object) -> None:
    """Raises ValidationError for the first variable of a template that is not properly defined."""
    try:
        parse_variables(variables)
    except VariableDefinitionError as error:
        raise ValidationError(str(error)) from error


def in_force(configured: Configured) -> Configuration:
    """How Claude is asked for this row, without what a batch may set."""
    if isinstance(configured, PromptTemplate) and configured.workspace_id is not None:
        return configuration_of([configured, configured.workspace])
    return configuration_of([configured])

"""The variables that a template declares: name, type, whether required, default, help text, options."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from generation.prompts.errors import InvalidValue, MissingVariable, VariableDefinitionError
from generation.prompts.template import NAME_PATTERN
from generation.prompts.values import is_number, readable_text

_LONGEST_QUOTE = 60  # characters of a wrong value that a message repeats


class Variable(BaseModel):
    """One declared variable. An empty ``default`` means that there is none; ``options`` belong to a dropdown.

    Numbers in JSON are taken as text (``"default": 40``, ``"options": [1, 2, 3]``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    name: str
    type: Literal["text", "number", "dropdown"]
    required: bool = False
    default: str = ""
    help_text: str = ""
    options: list[str] = []

    @field_validator("name")
    @classmethod
    def _name_can_stand_in_a_placeholder(cls, name: str) -> str:
        if NAME_PATTERN.fullmatch(name) is None:
            raise ValueError("its name may only have letters, digits and underscores, and must not begin with a digit")
        return name

    @model_validator(mode="after")
    def _default_fits_the_type(self) -> Self:
        if self.type == "dropdown" and not self.options:
            raise ValueError("a dropdown needs at least one option")
        if self.default and not self._accepts(self.default):
            raise ValueError(f"its default must be {self._expectation()} got {_quoted(self.default)}")
        return self

    def complaint_about(self, value: object) -> InvalidValue | None:
        """Return what is wrong with the type of a value that is not blank, None if nothing."""
        if self._accepts(value):
            return None
        return InvalidValue(self.name, f"{self.name} must be {self._expectation()} got {_quoted(value)}")

    def as_missing(self) -> MissingVariable:
        """Return the report that this variable has no value."""
        return MissingVariable(self.name, self.type, tuple(self.options) if self.type == "dropdown" else ())

    def _accepts(self, value: object) -> bool:
        match self.type:
            case "number":
                return is_number(value)
            case "dropdown":
                return readable_text(value) in self.options
        return True

    def _expectation(self) -> str:
        return "a number," if self.type == "number" else f"one of {', '.join(self.options)};"


def parse_variables(json_value: object) -> tuple[Variable, ...]:
    """Return the variables in a JSON list of objects, as a template stores them.

    Raises ``VariableDefinitionError`` at the first that is not properly defined, or whose name came before.
    """
    if not isinstance(json_value, list):
        raise VariableDefinitionError("The variables must be a list, with one entry for each variable.")
    variables: dict[str, Variable] = {}
    for position, entry in enumerate(json_value, start=1):
        variable = _variable(entry, position)
        if variable.name in variables:
            raise VariableDefinitionError(
                f"Variable {variable.name} is defined twice; give each variable a name of its own."
            )
        variables[variable.name] = variable
    return tuple(variables.values())


def _variable(entry: object, position: int) -> Variable:
    try:
        return Variable.model_validate(entry)
    except ValidationError as error:
        what = _sentence(error.errors()[0])
        raise VariableDefinitionError(f"Variable {_label(entry, position)}: {what}.") from error


def _label(entry: object, position: int) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    return name if isinstance(name, str) and name.strip() else f"{position} in the list"


def _sentence(problem: ErrorDetails) -> str:
    field = str(problem["loc"][0]) if problem["loc"] else ""
    match problem["type"]:
        case "missing":
            return f"it has no {field}"
        case "extra_forbidden":
            return f"{field} is not known; a variable has {', '.join(Variable.model_fields)}"
        case "literal_error":
            return f"its type must be text, number or dropdown, got {_quoted(problem['input'])}"
        case "value_error":
            return str(problem["ctx"]["error"])
        case "model_type":
            return "it must be an object with at least a name and a type"
    return f"its {field} must be {_FIELD_KINDS.get(field, 'text')}, got {_quoted(problem['input'])}"


_FIELD_KINDS = {"required": "true or false", "options": "a list of texts"}


def _quoted(value: object) -> str:
    text = readable_text(value)
    return repr(text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…")

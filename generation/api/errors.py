"""What keeps a conversation from being made, as the API says it.

Wrong input is 400, a state that does not allow it 409; whatever has to be mended or waited for elsewhere is 503, with
`Retry-After` where Claude said for how long. The code is the one that the log keeps: `rate_limited`.
"""

from collections.abc import Mapping

from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.settings import api_settings

from conversations.choices import DimensionKind
from conversations.models import Conversation
from conversations.ordering import OrderError
from convgen.api import errors
from convgen.api.errors import Conflict, Unavailable
from generation.configuration import Overrides
from generation.errors import (
    ConfigurationInvalid,
    FixInput,
    GenerationError,
    ModelUnknown,
    ProgramFailed,
    PromptUnresolved,
    ReplyRefused,
    RequestRefused,
    RequestTooLarge,
    RetryLater,
)
from generation.prompts import PromptError, UnresolvedPrompt
from generation.simulated.launcher import SimulatedClaudeError

NOT_STARTED = "Simulated Claude did not start. Tell whoever runs this site: its log tells why."  # and not where that is
WRONG_INPUT = (PromptUnresolved, RequestRefused, RequestTooLarge, ReplyRefused, ConfigurationInvalid)


def register() -> None:
    """Have the API tell them so, whichever view they come from."""
    errors.tell(GenerationError, unavailable)
    errors.tell(FixInput, lambda error: Conflict(str(error), error.code()))
    errors.tell(PromptUnresolved, unresolved)
    for wrong in WRONG_INPUT[1:]:
        errors.tell(wrong, lambda error: _invalid({None: [(str(error), error.code())]}))
    errors.tell(ProgramFailed, lambda error: APIException(errors.anonymous(), error.code()))
    errors.tell(SimulatedClaudeError, lambda error: Unavailable(NOT_STARTED, "simulated_claude"))
    errors.tell(PromptError, lambda error: _unresolved(error, "prompt_unresolved"))
    errors.tell(OrderError, lambda error: _invalid({name: [(say, "unknown")] for name, say in error.problems.items()}))


def unavailable(error: GenerationError) -> Unavailable:
    wait = error.retry_after if isinstance(error, RetryLater) else None
    return Unavailable(str(error), error.code(), wait=wait)


def unresolved(error: PromptUnresolved) -> ValidationError:
    """By parameter where values are missing or wrong, else in one sentence."""
    cause = error.__cause__
    if isinstance(cause, UnresolvedPrompt):
        return _unresolved(cause, error.code())
    return _invalid({None: [(str(error), error.code())]})


def _unresolved(error: PromptError, code: str) -> ValidationError:
    if not isinstance(error, UnresolvedPrompt):
        return _invalid({None: [(str(error), code)]})
    missing = {
        each.name: f"{each} is missing: give it as a parameter, or set a default in the template."
        for each in error.missing
    }
    words = {
        name: [ErrorDetail(f"Say which {name}: the prompt needs one.", code)]
        for name in missing
        if name in DimensionKind
    }
    wrong = {each.name: f"{each}." for each in error.invalid}
    parameters = {name: [ErrorDetail(said, code)] for name, said in {**missing, **wrong}.items() if name not in words}
    return ValidationError({**words, **({"parameters": parameters} if parameters else {})})


def _invalid(problems: Mapping[str | None, list[tuple[str, str]]]) -> ValidationError:
    return ValidationError(
        {
            name or api_settings.NON_FIELD_ERRORS_KEY: [ErrorDetail(said, code) for said, code in each]
            for name, each in problems.items()
        }
    )


def told(error: GenerationError, overrides: Overrides) -> APIException:
    """What the client of a request with these overrides is told: a model that nobody knows may be its own mistake."""
    if isinstance(error, ModelUnknown) and overrides.model:
        return ValidationError({"configuration": {"model": [ErrorDetail(str(error), error.code())]}})
    return errors.translated(error) or APIException()


def kept(
    error: GenerationError, overrides: Overrides, conversation: Conversation, *, again: str, location: str
) -> APIException:
    """The same of a conversation that is kept: which one it is, how to try again, and where its status is."""
    answer = told(error, overrides)
    reason = errors.anonymous() if isinstance(error, ProgramFailed) else str(error)
    said = ErrorDetail(f"{reason} {conversation} is kept ({conversation.status}): {again}", error.code())
    answer.detail = {api_settings.NON_FIELD_ERRORS_KEY: [said]} if isinstance(answer, ValidationError) else said
    answer.headers = {"Location": location}  # type: ignore[attr-defined]
    return answer

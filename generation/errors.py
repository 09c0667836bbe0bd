"""What can keep a conversation from being made, named by what the caller should do next.

    GenerationError
    ├── RetryLater            the same request may well succeed in a while
    │   ├── RateLimited           429
    │   ├── Overloaded            529
    │   ├── ServerFailed          408, 409, other 5xx
    │   ├── Unreachable           no connection, or it broke
    │   ├── TimedOut              no reply in time
    │   ├── RequestExpired        in a message batch: Claude did not come to it within a day
    │   ├── RequestCanceled       in a message batch: it was cancelled before Claude came to it
    │   └── ReplyUnusable         it was paid for, but cannot be used
    │       ├── ReplyCutOff           it ended at max_tokens
    │       └── ReplyMalformed        not the JSON that was asked for
    ├── FixInput              this conversation can never succeed as it is; others may
    │   ├── PromptUnresolved      template syntax, missing or wrong values
    │   ├── NotClaimable          somebody else is at it, or it is done already
    │   ├── NotRegenerable        it was replaced already, is being replaced, or has no turns to replace
    │   ├── RequestRefused        400, 422, other 4xx: Claude does not take such a request
    │   ├── RequestTooLarge       413: the prompt is longer than Claude takes
    │   ├── ReplyRefused          Claude declined to write it
    │   ├── ResultsGone           its message batch is not kept any more, and what became of it is not known
    │   ├── Abandoned             begun too often without ever coming to an end
    │   └── ProgramFailed         an error of convgen's own
    ├── FixConfiguration      nothing can succeed until an operator mends a setting
    │   ├── ConfigurationInvalid  settings that do not go together: a temperature for a model that takes none
    │   ├── KeyRefused            401
    │   ├── AccessDenied          403, or an account on hold
    │   └── ModelUnknown          404
    └── StopEverything        nothing can succeed, and each try may cost
        ├── PaymentRequired       402
        └── SpendLimitReached     429 with the account's spend limit

The docstring of a class is its default message; its `next_step` is what a person should do about those that failed so,
and `worth_retrying` whether they may succeed when they are tried again without another change to them.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from generation.rate_headers import NOTHING_SAID, RateHeaders

if TYPE_CHECKING:
    from generation.answers import Answer


class GenerationError(Exception):
    """Something kept the conversation from being made."""

    next_step: ClassVar[str] = "See the reason, mend what it names, then try them again."
    worth_retrying: ClassVar[bool] = True

    rate: RateHeaders = NOTHING_SAID  # what the reply's headers said about the limits, if one came

    def __init__(self, message: str = "", *, request_id: str = "") -> None:
        super().__init__(message or self.said())
        self.request_id = request_id

    @classmethod
    def said(cls) -> str:
        """The default message: the docstring, in one line."""
        return " ".join((cls.__doc__ or "").split())

    @classmethod
    def code(cls) -> str:
        """The stable name that rows and logs keep: `rate_limited` of `RateLimited`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


class RetryLater(GenerationError):
    """Claude could not answer just now. Try again in a while."""

    next_step = "Try them again in a while: nothing is wrong with them."

    def __init__(self, message: str = "", *, request_id: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.retry_after = retry_after  # seconds, as Claude asks


class RateLimited(RetryLater):
    """Claude is getting requests faster than your account allows. Try again in a while, or lower RATE_LIMIT_RPM."""

    next_step = "Try them again in a while, with fewer at the same time, or with a lower RATE_LIMIT_RPM."


class Overloaded(RetryLater):
    """Claude is overloaded. Try again in a while."""


class ServerFailed(RetryLater):
    """Claude's server failed. Try again in a while."""


class Unreachable(RetryLater):
    """Claude cannot be reached. Check the network and ANTHROPIC_BASE_URL, then try again."""

    next_step = "Check the network and ANTHROPIC_BASE_URL, then try them again."


class TimedOut(RetryLater):
    """Claude did not answer in time. Try again, or raise the timeout: that of the batch, or ANTHROPIC_TIMEOUT."""

    next_step = "Try them again, with a longer timeout, less effort or fewer max tokens."


class RequestExpired(RetryLater):
    """Claude did not come to this request within a day, and nothing was paid for it. Try again; with live delivery, if
    it is urgent."""


class RequestCanceled(RetryLater):
    """The message batch was cancelled at Anthropic before Claude came to this request, and nothing was paid for it. See
    who cancelled it, then resume the batch: it is sent again."""


class ReplyUnusable(RetryLater):
    """Claude's reply cannot be used. Try again."""

    next_step = "Try them again. If they fail once more, ask for less in the template, or choose another model."

    def __init__(self, message: str = "", *, request_id: str = "", answer: "Answer | None" = None) -> None:
        super().__init__(message, request_id=request_id)
        self.answer = answer  # what was paid for


class ReplyCutOff(ReplyUnusable):
    """Claude's reply was cut off at its longest length. Raise max tokens where it is set (batch, template, workspace or
    ANTHROPIC_MAX_TOKENS), or ask for a shorter conversation."""

    next_step = "Raise max tokens, or ask for shorter conversations in the template, then try them again."


class ReplyMalformed(ReplyUnusable):
    """Claude's reply is not the JSON that was asked for. Try again."""


class FixInput(GenerationError):
    """This conversation cannot be made as it is."""

    next_step = "Change the template or what they are made with. As they are, they would fail again."
    worth_retrying = False


class PromptUnresolved(FixInput):
    """The prompt cannot be completed."""

    next_step = "Give the missing values: as the template's defaults, the conversations' parameters, or the batch's."


class NotClaimable(FixInput):
    """The conversation is being generated by somebody else, or is no draft any more."""

    next_step = "Look at them: somebody else has generated or changed them meanwhile."


class NotRegenerable(FixInput):
    """The conversation cannot be regenerated. See which version is the current one, then regenerate that."""

    next_step = "See which version is the current one, then regenerate that."


class RequestRefused(FixInput):
    """Claude does not accept the request. Shorten or change the template."""

    next_step = "Shorten or change the template, then try them again."


class RequestTooLarge(FixInput):
    """The prompt is larger than Claude takes (413). Shorten the source, the example or the template."""

    next_step = "Shorten the source, the example or the template, then try them again."


class ReplyRefused(FixInput):
    """Claude declined to write this conversation. Reword the template or choose another topic."""

    next_step = "Reword the template or choose another topic, then try them again."

    def __init__(self, message: str = "", *, request_id: str = "", answer: "Answer | None" = None) -> None:
        super().__init__(message, request_id=request_id)
        self.answer = answer


class ResultsGone(FixInput):
    """The results of its message batch are gone: Anthropic keeps them for 29 days, or somebody deleted them. They may
    have been paid for. See Anthropic's Console for the message batch, then generate the conversation again."""


class Abandoned(FixInput):
    """Every try at this conversation was interrupted. See the worker's log, then retry it by itself."""

    next_step = "See the worker's log, then try them again, a few at a time."
    worth_retrying = True


class ProgramFailed(FixInput):
    """convgen itself failed at this conversation. The worker's log has the details; please report them."""

    next_step = "See the worker's log, and report what it says."


class FixConfiguration(GenerationError):
    """Nothing can be generated until the configuration is mended."""

    next_step = "Mend the configuration that the reason names, then try them again."


class ConfigurationInvalid(FixConfiguration):
    """The settings for Claude do not go together. Check model, effort and temperature."""


class KeyRefused(FixConfiguration):
    """Claude refuses the API key (401). Set a valid ANTHROPIC_API_KEY."""

    next_step = "Set a valid ANTHROPIC_API_KEY, then try them again."


class AccessDenied(FixConfiguration):
    """The API key may not do this. Check what your Anthropic account permits."""

    next_step = "Check what your Anthropic account permits, then try them again."


class ModelUnknown(FixConfiguration):
    """Claude does not know the model (404). Check the model where it is set (batch, template, workspace or
    ANTHROPIC_MODEL), and ANTHROPIC_BASE_URL."""

    next_step = "Correct the name of the model where it is set, then try them again."


class StopEverything(GenerationError):
    """Generation has to stop."""

    next_step = "Mend the account's billing or limits in Anthropic's Console, then try them again."


class PaymentRequired(StopEverything):
    """Anthropic asks for payment (402). Check your account's billing, then go on."""


class SpendLimitReached(StopEverything):
    """Your Anthropic account has reached its spend limit. Raise it in the Console, then go on."""


def by_code(code: str) -> type[GenerationError]:
    """The class whose code rows and logs keep; `GenerationError` for one that is not known (any more)."""
    return next((each for each in _family(GenerationError) if each.code() == code), GenerationError)


def _family(ancestor: type[GenerationError]) -> Iterator[type[GenerationError]]:
    yield ancestor
    for child in ancestor.__subclasses__():
        yield from _family(child)

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

The docstring of a class is its default message.
"""

import re
from typing import TYPE_CHECKING

from generation.rate_headers import NOTHING_SAID, RateHeaders

if TYPE_CHECKING:
    from generation.claude import Answer


class GenerationError(Exception):
    """Something kept the conversation from being made."""

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

    def __init__(self, message: str = "", *, request_id: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.retry_after = retry_after  # seconds, as Claude asks


class RateLimited(RetryLater):
    """Claude is getting requests faster than your account allows. Try again in a while, or lower RATE_LIMIT_RPM."""


class Overloaded(RetryLater):
    """Claude is overloaded. Try again in a while."""


class ServerFailed(RetryLater):
    """Claude's server failed. Try again in a while."""


class Unreachable(RetryLater):
    """Claude cannot be reached. Check the network and ANTHROPIC_BASE_URL, then try again."""


class TimedOut(RetryLater):
    """Claude did not answer in time. Try again, or raise the timeout: that of the batch, or ANTHROPIC_TIMEOUT."""


class RequestExpired(RetryLater):
    """Claude did not come to this request within a day, and nothing was paid for it. Try again; with live delivery, if
    it is urgent."""


class RequestCanceled(RetryLater):
    """The message batch was cancelled at Anthropic before Claude came to this request, and nothing was paid for it. See
    who cancelled it, then resume the batch: it is sent again."""


class ReplyUnusable(RetryLater):
    """Claude's reply cannot be used. Try again."""

    def __init__(self, message: str = "", *, request_id: str = "", answer: "Answer | None" = None) -> None:
        super().__init__(message, request_id=request_id)
        self.answer = answer  # what was paid for


class ReplyCutOff(ReplyUnusable):
    """Claude's reply was cut off at its longest length. Raise max tokens where it is set (batch, template, workspace or
    ANTHROPIC_MAX_TOKENS), or ask for a shorter conversation."""


class ReplyMalformed(ReplyUnusable):
    """Claude's reply is not the JSON that was asked for. Try again."""


class FixInput(GenerationError):
    """This conversation cannot be made as it is."""


class PromptUnresolved(FixInput):
    """The prompt cannot be completed."""


class NotClaimable(FixInput):
    """The conversation is being generated by somebody else, or is no draft any more."""


class NotRegenerable(FixInput):
    """The conversation cannot be regenerated. See which version is the current one, then regenerate that."""


class RequestRefused(FixInput):
    """Claude does not accept the request. Shorten or change the template."""


class RequestTooLarge(FixInput):
    """The prompt is larger than Claude takes (413). Shorten the source, the example or the template."""


class ReplyRefused(FixInput):
    """Claude declined to write this conversation. Reword the template or choose another topic."""

    def __init__(self, message: str = "", *, request_id: str = "", answer: "Answer | None" = None) -> None:
        super().__init__(message, request_id=request_id)
        self.answer = answer


class ResultsGone(FixInput):
    """The results of its message batch are gone: Anthropic keeps them for 29 days, or somebody deleted them. They may
    have been paid for. See Anthropic's Console for the message batch, then generate the conversation again."""


class Abandoned(FixInput):
    """Every try at this conversation was interrupted. See the worker's log, then retry it by itself."""


class ProgramFailed(FixInput):
    """convgen itself failed at this conversation. The worker's log has the details; please report them."""


class FixConfiguration(GenerationError):
    """Nothing can be generated until the configuration is mended."""


class ConfigurationInvalid(FixConfiguration):
    """The settings for Claude do not go together. Check model, effort and temperature."""


class KeyRefused(FixConfiguration):
    """Claude refuses the API key (401). Set a valid ANTHROPIC_API_KEY."""


class AccessDenied(FixConfiguration):
    """The API key may not do this. Check what your Anthropic account permits."""


class ModelUnknown(FixConfiguration):
    """Claude does not know the model (404). Check the model where it is set (batch, template, workspace or
    ANTHROPIC_MODEL), and ANTHROPIC_BASE_URL."""


class StopEverything(GenerationError):
    """Generation has to stop."""


class PaymentRequired(StopEverything):
    """Anthropic asks for payment (402). Check your account's billing, then go on."""


class SpendLimitReached(StopEverything):
    """Your Anthropic account has reached its spend limit. Raise it in the Console, then go on."""

"""Claude over HTTP: the one module that imports the `anthropic` SDK, and that knows its errors.

The SDK costs about two seconds to import, so that happens on first use; workers preload it before they fork.
"""

import asyncio
import math
from collections.abc import Awaitable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pydantic import BaseModel, NonNegativeInt, ValidationError

from conversations.text import storable_json
from generation import errors
from generation.configuration import SAMPLING
from generation.endpoint import Endpoint
from generation.rate_headers import NOTHING_SAID, RateHeaders, rate_headers

if TYPE_CHECKING:
    import anthropic
    from anthropic.types import Message

T = TypeVar("T")

# Named in a 429 that no waiting will cure: the account's own limit, not the rate.
SPEND_LIMIT_CODES = (
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    "linked_organization_spend_limit_reached",
)
# In a 400, although the request is not to blame: no request of this account would be taken.
ACCOUNT_CODES = (
    "organization_on_hold",
    "organization_type_not_supported",
    "parent_organization_required",
    "cmek_key_disabled",  # the customer's own encryption key
    "cmek_key_network_blocked",
)
OVERLOADED = 529  # Anthropic's own status code

# The API's present version refuses sampling for every model, and the SDK has no arguments for it. Older models take it
# under the version before (generation/model_catalogue.py).
SAMPLING_VERSION = {"anthropic-version": "2023-06-01"}

# A proxy that the environment names does not lead to this machine's own ports.
_DIRECTLY = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}


@dataclass(frozen=True)
class Usage:
    """Tokens of one request, as Anthropic bills them; `input` excludes the cached ones."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0


@dataclass(frozen=True)
class Answer:
    text: str  # of the reply's text blocks
    model: str
    usage: Usage
    request_id: str
    body: dict[str, Any]  # the whole reply, for the log
    rate: RateHeaders = NOTHING_SAID  # what its headers say about the limits


def preload() -> None:
    """Import the SDK and the prices now: before a fork, or before a clock starts."""
    import anthropic  # noqa: F401
    from genai_prices.data_snapshot import get_snapshot

    get_snapshot()


class Claude:
    """A connection to one endpoint, to be used as an async context manager.

    `timeout` is in seconds for one request. Retries are the caller's business (`generation/attempts.py`).
    """

    def __init__(self, endpoint: Endpoint, *, timeout: float) -> None:
        import anthropic

        self._timeout = timeout
        self._sdk = anthropic.AsyncAnthropic(
            api_key=endpoint.api_key,
            base_url=endpoint.base_url or None,
            timeout=timeout,
            max_retries=0,
            http_client=anthropic.DefaultAsyncHttpxClient(mounts=_DIRECTLY),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._sdk.close()

    async def send(self, request: dict[str, Any]) -> Answer:
        """Send one Messages API request. Raises a `GenerationError` for everything that can go wrong."""
        message, rate = await self._in_time(self._sent(request))
        return _complete(_answer(message, rate), message)

    async def count_tokens(self, request: dict[str, Any]) -> int:
        """The tokens of a request's input. Costs nothing. Raises a `GenerationError` as `send` does."""
        counted = {name: request[name] for name in ("model", "system", "messages", "output_config") if name in request}
        count = await self._in_time(self._sdk.messages.count_tokens(**counted))
        return int(count.input_tokens)

    async def _sent(self, request: dict[str, Any]) -> "tuple[Message, RateHeaders]":
        response = await self._sdk.messages.with_raw_response.create(**_arguments(request))
        return await response.parse(), rate_headers(response.headers)

    async def _in_time(self, answer: Awaitable[T]) -> T:
        """What Claude's server answers; whatever is wrong with that is an error of ours."""
        import anthropic

        try:
            async with asyncio.timeout(self._timeout):  # the SDK's own limits each read, not the whole
                return await answer
        except TimeoutError as error:
            raise errors.TimedOut() from error
        except anthropic.AnthropicError as error:
            raise translated(error) from error
        except (ValueError, RecursionError) as error:
            raise errors.ReplyMalformed("Claude's server sent something that is not JSON. Try again.") from error


def _arguments(request: dict[str, Any]) -> dict[str, Any]:
    """The SDK's arguments for a request as the API reads it."""
    sampling = {name: request[name] for name in SAMPLING if name in request}
    if not sampling:
        return request
    rest = {name: value for name, value in request.items() if name not in sampling}
    return {**rest, "extra_body": sampling, "extra_headers": SAMPLING_VERSION}


class _Block(BaseModel):
    type: str
    text: str | None = None


class _Tokens(BaseModel):
    input_tokens: NonNegativeInt
    output_tokens: NonNegativeInt
    cache_read_input_tokens: NonNegativeInt | None = None
    cache_creation_input_tokens: NonNegativeInt | None = None


class _Told(BaseModel):
    """What we read of a reply. The SDK checks nothing: a proxy's page or an empty object passes for a message."""

    model: str
    content: list[_Block]
    usage: _Tokens


def _answer(message: "Message", rate: RateHeaders) -> Answer:
    """What the reply says. Raises `ReplyMalformed` when it is no message."""
    request_id = getattr(message, "_request_id", None) or ""
    try:
        body = storable_json(message.to_dict(mode="json", warnings=False))
        told = _Told.model_validate(body)
    except (AttributeError, ValidationError) as error:
        text = "Claude's server sent something that is not a message. Check ANTHROPIC_BASE_URL, then try again."
        raise errors.ReplyMalformed(text, request_id=request_id) from error
    return Answer(
        # The first block may be the model's thinking.
        text="".join(block.text or "" for block in told.content if block.type == "text"),
        model=told.model,
        usage=Usage(
            input=told.usage.input_tokens,
            output=told.usage.output_tokens,
            cache_read=told.usage.cache_read_input_tokens or 0,
            cache_write=told.usage.cache_creation_input_tokens or 0,
        ),
        request_id=request_id,
        body=body,
        rate=rate,
    )


def _complete(answer: Answer, message: "Message") -> Answer:
    """The answer, unless Claude stopped before it was finished."""
    if message.stop_reason == "max_tokens":
        raise errors.ReplyCutOff(request_id=answer.request_id, answer=answer)
    if message.stop_reason == "refusal":
        details = message.stop_details
        category = f" Its reason: {details.category}." if details and details.category else ""
        text = f"{errors.ReplyRefused.said()}{category}"
        raise errors.ReplyRefused(text, request_id=answer.request_id, answer=answer)
    return answer


def translated(error: "anthropic.AnthropicError") -> errors.GenerationError:
    """Our error for an SDK error."""
    import anthropic

    if isinstance(error, anthropic.APITimeoutError):
        return errors.TimedOut()
    if isinstance(error, anthropic.APIConnectionError):
        return errors.Unreachable()
    if isinstance(error, anthropic.APIStatusError):
        problem = _of_status(error)
        problem.rate = rate_headers(error.response.headers)
        return problem
    if isinstance(error, anthropic.APIResponseValidationError):
        return errors.ReplyMalformed()
    if isinstance(error, anthropic.CredentialsError | anthropic.WorkloadIdentityError):
        return errors.KeyRefused()
    if isinstance(error, anthropic.APIError | anthropic.RetryableError):
        return errors.ServerFailed(f"Claude's client failed: {error}")
    return errors.ConfigurationInvalid(f"Claude's client cannot be used as it is set up: {error}")


def _of_status(error: "anthropic.APIStatusError") -> errors.GenerationError:
    told = {"request_id": error.request_id or ""}
    status = error.status_code
    if error.error_code in SPEND_LIMIT_CODES:
        return errors.SpendLimitReached(**told)
    if error.error_code in ACCOUNT_CODES:
        return errors.AccessDenied(_with_words(errors.AccessDenied, error), **told)
    if status in _FINAL:
        kind = _FINAL[status]
        return kind(_with_words(kind, error), **told)
    if status in (408, 409, 429) or status >= 500:
        kind_of_wait = {429: errors.RateLimited, OVERLOADED: errors.Overloaded}.get(status, errors.ServerFailed)
        return kind_of_wait(retry_after=_retry_after(error), **told)
    return errors.RequestRefused(_with_words(errors.RequestRefused, error), **told)


_FINAL: dict[int, type[errors.GenerationError]] = {
    401: errors.KeyRefused,
    402: errors.PaymentRequired,
    403: errors.AccessDenied,
    404: errors.ModelUnknown,
    413: errors.RequestTooLarge,
}


def _with_words(kind: type[errors.GenerationError], error: "anthropic.APIStatusError") -> str:
    said = error.api_message or f"HTTP status {error.status_code}"
    return f"{kind.said()} It said: {said}"


def _retry_after(error: "anthropic.APIStatusError") -> float | None:
    """Seconds that the server asks to wait; None when it does not say, or says it unreadably."""
    try:
        seconds = float(error.response.headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None

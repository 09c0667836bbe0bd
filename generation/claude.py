"""Claude over HTTP: the one module that imports the `anthropic` SDK, and that knows its errors.

The SDK costs about two seconds to import, so that happens on first use; workers preload it before they fork.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from pydantic import BaseModel, NonNegativeInt, ValidationError

from convgen.text import storable_json
from generation import errors
from generation.configuration import SAMPLING
from generation.endpoint import Endpoint
from generation.rate_headers import NOTHING_SAID, RateHeaders, rate_headers

if TYPE_CHECKING:
    import anthropic
    from anthropic.types import Message
    from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse

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
LIST_PAGE = 100  # message batches of one page of the list

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


@dataclass(frozen=True)
class RemoteBatch:
    """A message batch as Anthropic has it."""

    id: str
    ended: bool
    canceling: bool
    requests: int
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    archived: bool  # its results are gone
    counts: dict[str, int]  # what became of its requests: succeeded, errored, canceled, expired; all 0 until it ended


@dataclass(frozen=True)
class Result:
    """What became of one request of a message batch: an answer, or why there is none that can be used."""

    custom_id: str
    answer: Answer | None = None  # where there is one, it was paid for
    error: errors.GenerationError | None = None


def takes_sampling(request: dict[str, Any]) -> bool:
    """Whether it must be sent under the API's older version: then all requests of its message batch are."""
    return any(name in request for name in SAMPLING)


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

    async def submit(self, requests: Sequence[tuple[str, dict[str, Any]]]) -> RemoteBatch:
        """Create a message batch of requests, each with its `custom_id`; all of them take sampling, or none does.

        Raises a `GenerationError`. After a `RetryLater` other than `RateLimited` and `Overloaded` it may have been
        created all the same.
        """
        headers = SAMPLING_VERSION if any(takes_sampling(request) for _custom_id, request in requests) else None
        bodies: Any = [{"custom_id": custom_id, "params": request} for custom_id, request in requests]
        with _offered():
            created = await self._in_time(self._sdk.messages.batches.create(requests=bodies, extra_headers=headers))
        return _remote(created)

    async def message_batch(self, remote_id: str) -> RemoteBatch:
        """How a message batch stands. Raises `ResultsGone` when there is none, or another `GenerationError`."""
        with _of_one():
            return _remote(await self._in_time(self._sdk.messages.batches.retrieve(remote_id)))

    async def cancel_message_batch(self, remote_id: str) -> RemoteBatch:
        """Ask for the end of a message batch: what is written is kept, what is begun may still be. Raises as above; a
        `RequestRefused` when it has ended.
        """
        with _of_one():
            return _remote(await self._in_time(self._sdk.messages.batches.cancel(remote_id)))

    async def message_batches_since(self, moment: datetime) -> list[RemoteBatch]:
        """All message batches of the key's account that were created then or later, newest first."""
        found: list[RemoteBatch] = []
        with _offered(), _listed():
            page = await self._in_time(self._sdk.messages.batches.list(limit=LIST_PAGE))
        while True:
            with _listed():
                listed = [_remote(one) for one in page.data]
                more = page.has_next_page()
            found += [one for one in listed if one.created_at >= moment]
            if not more or listed[-1].created_at < moment:
                return found
            with _listed():
                page = await self._in_time(page.get_next_page())

    async def results(self, remote_id: str) -> AsyncGenerator[Result, None]:
        """What became of each request of a message batch that has ended, in no order.

        Reading them all may take longer than one request: the limit holds for each read. Raises a `GenerationError`,
        `ResultsGone` when they are not kept any more; a stream that breaks off may end without one.
        """
        remote = await self.message_batch(remote_id)
        if remote.archived:
            raise errors.ResultsGone()
        lines = await self._in_time(self._sdk.messages.batches.results(remote_id))
        try:
            with _translated():
                async for line in lines:
                    yield _result(line)
        finally:
            await lines.close()

    async def _sent(self, request: dict[str, Any]) -> "tuple[Message, RateHeaders]":
        response = await self._sdk.messages.with_raw_response.create(**_arguments(request))
        return await response.parse(), rate_headers(response.headers)

    async def _in_time(self, answer: Awaitable[T]) -> T:
        """What Claude's server answers; whatever is wrong with that is an error of ours."""
        with _translated():
            async with asyncio.timeout(self._timeout):  # the SDK's own limits each read, not the whole
                return await answer


@contextmanager
def _translated() -> Iterator[None]:
    """Makes errors of ours of whatever goes wrong with an answer, or while one is streamed."""
    import anthropic
    import httpx2

    try:
        yield
    except (TimeoutError, httpx2.TimeoutException) as error:
        raise errors.TimedOut() from error
    except httpx2.HTTPError as error:  # the SDK translates them for whole answers alone
        raise errors.Unreachable() from error
    except anthropic.AnthropicError as error:
        raise translated(error) from error
    except (ValueError, RecursionError) as error:
        raise errors.ReplyMalformed("Claude's server sent something that is not JSON. Try again.") from error


@contextmanager
def _offered() -> Iterator[None]:
    """A 404 means that the server has no such thing as message batches."""
    try:
        yield
    except errors.ModelUnknown as error:
        text = "Claude's server knows no message batches (404). Check ANTHROPIC_BASE_URL, or choose live delivery."
        raise errors.ConfigurationInvalid(text, request_id=error.request_id) from error


@contextmanager
def _of_one() -> Iterator[None]:
    """A 404 means that there is no such message batch, and not that the model is unknown."""
    try:
        yield
    except errors.ModelUnknown as error:
        raise errors.ResultsGone(request_id=error.request_id) from error


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


def _remote(batch: "MessageBatch") -> RemoteBatch:
    """Raises `ReplyMalformed` when it is no message batch."""
    try:
        counts = batch.request_counts
        ends = {kind: int(getattr(counts, kind)) for kind in ("succeeded", "errored", "canceled", "expired")}
        told = RemoteBatch(
            id=batch.id,
            ended=batch.processing_status == "ended",
            canceling=batch.processing_status == "canceling",
            requests=counts.processing + sum(ends.values()),
            created_at=batch.created_at,
            expires_at=batch.expires_at,
            ended_at=batch.ended_at,
            archived=batch.archived_at is not None,
            counts=ends,
        )
    except (AttributeError, TypeError, ValueError) as error:
        text = "Claude's server sent something that is not a message batch. Check ANTHROPIC_BASE_URL, then try again."
        raise errors.ReplyMalformed(text) from error
    if not (isinstance(told.id, str) and told.id and isinstance(told.created_at, datetime)):
        raise errors.ReplyMalformed("Claude's server sent a message batch without an id or a date. Try again.")
    return told


@contextmanager
def _listed() -> Iterator[None]:
    """What is no page of a list breaks the SDK itself."""
    try:
        yield
    except (AttributeError, TypeError) as error:
        raise errors.ReplyMalformed("Claude's server sent something that is not a list. Try again.") from error


def _result(line: "MessageBatchIndividualResponse") -> Result:
    """Raises `ReplyMalformed` when the line is no result."""
    try:
        custom_id, kind, result = line.custom_id, line.result.type, cast(Any, line.result)
        if kind == "expired":
            return Result(custom_id, error=errors.RequestExpired())
        if kind == "canceled":
            return Result(custom_id, error=errors.RequestCanceled())
        if kind == "errored":
            return Result(custom_id, error=_of_errored(result.error.to_dict(mode="json", warnings=False)))
        message = result.message
    except AttributeError as error:
        raise errors.ReplyMalformed("Claude's server sent something that is not a result. Try again.") from error
    return _of_message(custom_id, message)


def _of_message(custom_id: str, message: "Message") -> Result:
    try:
        return Result(custom_id, _complete(_answer(message, NOTHING_SAID), message))
    except (errors.ReplyUnusable, errors.ReplyRefused) as error:
        return Result(custom_id, error.answer, error)


def _of_errored(body: dict[str, Any]) -> errors.GenerationError:
    """Our error for what a message batch tells of one of its requests: the same that a live one would meet."""
    told = body.get("error")
    error = told if isinstance(told, dict) else {}
    details = error.get("details")
    code = details.get("error_code") if isinstance(details, dict) else None
    request_id = str(body.get("request_id") or "")
    if code in SPEND_LIMIT_CODES:
        return errors.SpendLimitReached(request_id=request_id)
    kind = errors.AccessDenied if code in ACCOUNT_CODES else _BY_TYPE.get(str(error.get("type")), errors.ServerFailed)
    if issubclass(kind, errors.RetryLater):
        return kind(request_id=request_id)
    return kind(f"{kind.said()} It said: {error.get('message') or error.get('type')}", request_id=request_id)


_BY_TYPE: dict[str, type[errors.GenerationError]] = {
    "invalid_request_error": errors.RequestRefused,
    "authentication_error": errors.KeyRefused,
    "billing_error": errors.PaymentRequired,
    "permission_error": errors.AccessDenied,
    "not_found_error": errors.ModelUnknown,
    "request_too_large": errors.RequestTooLarge,
    "rate_limit_error": errors.RateLimited,
    "overloaded_error": errors.Overloaded,
}


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

"""Claude over HTTP: the one module that calls the `anthropic` SDK, and that knows its errors.

What is answered is read by `answers.py`; which error a refusal is, says `refusals.py`. The SDK costs about two seconds
to import, so that happens on first use; workers preload it before they fork.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from generation import errors
from generation.answers import Answer, RemoteBatch, Result, read_batch, read_reply, read_result
from generation.configuration import SAMPLING
from generation.endpoint import Endpoint
from generation.rate_headers import RateHeaders, rate_headers
from generation.refusals import refused

if TYPE_CHECKING:
    import anthropic
    from anthropic.types import Message

T = TypeVar("T")

LIST_PAGE = 100  # message batches of one page of the list

# The API's present version refuses sampling for every model, and the SDK has no arguments for it. Older models take it
# under the version before (generation/model_catalogue.py).
SAMPLING_VERSION = {"anthropic-version": "2023-06-01"}

# A proxy that the environment names does not lead to this machine's own ports.
_DIRECTLY = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}


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
        return read_reply(message, rate)

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
        return read_batch(created)

    async def message_batch(self, remote_id: str) -> RemoteBatch:
        """How a message batch stands. Raises `ResultsGone` when there is none, or another `GenerationError`."""
        with _of_one():
            return read_batch(await self._in_time(self._sdk.messages.batches.retrieve(remote_id)))

    async def cancel_message_batch(self, remote_id: str) -> RemoteBatch:
        """Ask for the end of a message batch: what is written is kept, what is begun may still be. Raises as above; a
        `RequestRefused` when it has ended.
        """
        with _of_one():
            return read_batch(await self._in_time(self._sdk.messages.batches.cancel(remote_id)))

    async def message_batches_since(self, moment: datetime) -> list[RemoteBatch]:
        """All message batches of the key's account that were created then or later, newest first."""
        found: list[RemoteBatch] = []
        with _offered(), _listed():
            page = await self._in_time(self._sdk.messages.batches.list(limit=LIST_PAGE))
        while True:
            with _listed():
                listed = [read_batch(one) for one in page.data]
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
                    yield read_result(line)
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


@contextmanager
def _listed() -> Iterator[None]:
    """What is no page of a list breaks the SDK itself."""
    try:
        yield
    except (AttributeError, TypeError) as error:
        raise errors.ReplyMalformed("Claude's server sent something that is not a list. Try again.") from error


def _arguments(request: dict[str, Any]) -> dict[str, Any]:
    """The SDK's arguments for a request as the API reads it."""
    sampling = {name: request[name] for name in SAMPLING if name in request}
    if not sampling:
        return request
    rest = {name: value for name, value in request.items() if name not in sampling}
    return {**rest, "extra_body": sampling, "extra_headers": SAMPLING_VERSION}


def translated(error: "anthropic.AnthropicError") -> errors.GenerationError:
    """Our error for an SDK error."""
    import anthropic

    if isinstance(error, anthropic.APITimeoutError):
        return errors.TimedOut()
    if isinstance(error, anthropic.APIConnectionError):
        return errors.Unreachable()
    if isinstance(error, anthropic.APIStatusError):
        problem = refused(
            status=error.status_code,
            code=error.error_code,
            said=error.api_message,
            request_id=error.request_id or "",
            retry_after=_retry_after(error),
        )
        problem.rate = rate_headers(error.response.headers)
        return problem
    if isinstance(error, anthropic.APIResponseValidationError):
        return errors.ReplyMalformed()
    if isinstance(error, anthropic.CredentialsError | anthropic.WorkloadIdentityError):
        return errors.KeyRefused()
    if isinstance(error, anthropic.APIError | anthropic.RetryableError):
        return errors.ServerFailed(f"Claude's client failed: {error}")
    return errors.ConfigurationInvalid(f"Claude's client cannot be used as it is set up: {error}")


def _retry_after(error: "anthropic.APIStatusError") -> float | None:
    """Seconds that the server asks to wait; None when it does not say, or says it unreadably."""
    try:
        seconds = float(error.response.headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None

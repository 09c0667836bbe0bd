"""What Claude's server answers, read once into values of ours: replies, message batches and their results.

The SDK checks nothing: a proxy's page or an empty object passes for an answer, and is told apart here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, NonNegativeInt, ValidationError

from convgen.text import storable_json
from generation import errors
from generation.rate_headers import NOTHING_SAID, RateHeaders
from generation.refusals import refused_in_batch

if TYPE_CHECKING:
    from anthropic.types import Message
    from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse


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


class _Block(BaseModel):
    type: str
    text: str | None = None


class _Tokens(BaseModel):
    input_tokens: NonNegativeInt
    output_tokens: NonNegativeInt
    cache_read_input_tokens: NonNegativeInt | None = None
    cache_creation_input_tokens: NonNegativeInt | None = None


class _Told(BaseModel):
    """What we read of a reply."""

    model: str
    content: list[_Block]
    usage: _Tokens


def read_reply(message: "Message", rate: RateHeaders = NOTHING_SAID) -> Answer:
    """What a reply says.

    Raises `ReplyMalformed` when it is no message; `ReplyCutOff` or `ReplyRefused`, with the answer that was paid for,
    when Claude stopped before it was finished.
    """
    answer = _read(message, rate)
    if message.stop_reason == "max_tokens":
        raise errors.ReplyCutOff(request_id=answer.request_id, answer=answer)
    if message.stop_reason == "refusal":
        details = message.stop_details
        category = f" Its reason: {details.category}." if details and details.category else ""
        text = f"{errors.ReplyRefused.said()}{category}"
        raise errors.ReplyRefused(text, request_id=answer.request_id, answer=answer)
    return answer


def _read(message: "Message", rate: RateHeaders) -> Answer:
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


def read_batch(batch: "MessageBatch") -> RemoteBatch:
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


def read_result(line: "MessageBatchIndividualResponse") -> Result:
    """Raises `ReplyMalformed` when the line is no result."""
    try:
        custom_id, kind, result = line.custom_id, line.result.type, cast(Any, line.result)
        if kind == "expired":
            return Result(custom_id, error=errors.RequestExpired())
        if kind == "canceled":
            return Result(custom_id, error=errors.RequestCanceled())
        if kind == "errored":
            return Result(custom_id, error=refused_in_batch(result.error.to_dict(mode="json", warnings=False)))
        message = result.message
    except AttributeError as error:
        raise errors.ReplyMalformed("Claude's server sent something that is not a result. Try again.") from error
    return _of_message(custom_id, message)


def _of_message(custom_id: str, message: "Message") -> Result:
    try:
        return Result(custom_id, read_reply(message))
    except (errors.ReplyUnusable, errors.ReplyRefused) as error:
        return Result(custom_id, error.answer, error)

"""The client and message batches: what Anthropic says of them, in our words and errors."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from generation import errors
from generation.answers import RemoteBatch, Result
from generation.claude import Claude
from generation.endpoint import Endpoint
from generation.simulated.running import Listening
from tests.generation.raw_server import Raw, answering
from tests.generation.simulated.sdk import message

T = TypeVar("T")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def with_claude(url: str, use: Callable[[Claude], Awaitable[T]], *, timeout: float = 10.0) -> T:
    async def open_and_use() -> T:
        async with Claude(Endpoint(url, "test-key", 50), timeout=timeout) as claude:
            return await use(claude)

    return asyncio.run(open_and_use())


def requests(number: int, **changes: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(f"c-{n}", message(f"Question {n}?", **changes)) for n in range(number)]


def submitted(listening: Listening, number: int = 1, **changes: Any) -> RemoteBatch:
    return with_claude(listening.url, lambda claude: claude.submit(requests(number, **changes)))


def ended(listening: Listening, number: int = 1, **changes: Any) -> str:
    """The id of a message batch that has ended."""
    remote = submitted(listening, number, **changes)
    listening.claude.clock.advance(10)
    return remote.id


def results(url: str, remote_id: str) -> dict[str, Result]:
    async def read(claude: Claude) -> dict[str, Result]:
        return {result.custom_id: result async for result in claude.results(remote_id)}

    return with_claude(url, read)


def test_a_message_batch_is_created_seen_and_read(listening: Listening) -> None:
    created = submitted(listening, 3)
    assert (created.ended, created.requests, created.archived) == (False, 3, False)
    assert sum(created.counts.values()) == 0
    listening.claude.clock.advance(10)
    seen = with_claude(listening.url, lambda claude: claude.message_batch(created.id))
    assert seen.ended and seen.ended_at and seen.counts["succeeded"] == 3
    found = results(listening.url, created.id)
    assert set(found) == {"c-0", "c-1", "c-2"}
    for result in found.values():
        assert result.answer and result.answer.text and result.answer.usage.output and not result.error


@pytest.mark.parametrize(
    ("fault", "code", "paid"),
    [
        ("400", "request_refused", False),
        ("401", "key_refused", False),
        ("402", "payment_required", False),
        ("403", "access_denied", False),
        ("404", "model_unknown", False),
        ("413", "request_too_large", False),
        ("429", "rate_limited", False),
        ("spend-limit", "spend_limit_reached", False),
        ("on-hold", "access_denied", False),
        ("500", "server_failed", False),
        ("529", "overloaded", False),
        ("504", "server_failed", False),
        ("expired", "request_expired", False),
        ("canceled", "request_canceled", False),
        ("cut-off", "reply_cut_off", True),
        ("refusal", "reply_refused", True),
    ],
)
def test_every_kind_of_result_is_an_error_of_ours(listening: Listening, fault: str, code: str, paid: bool) -> None:
    listening.claude.behaviour.batch_script.append(fault)
    [result] = results(listening.url, ended(listening)).values()
    assert result.error and result.error.code() == code
    assert bool(result.answer) is paid


def test_requests_with_sampling_travel_under_the_older_version(listening: Listening) -> None:
    sampled = ended(listening, model="claude-sonnet-4-6", temperature=0.5)
    [result] = results(listening.url, sampled).values()
    assert result.answer and not result.error


def test_the_list_goes_back_over_its_pages_to_a_moment(listening: Listening) -> None:
    for _number in range(3):
        submitted(listening)
        listening.claude.clock.advance(60)

    def listed(since: datetime) -> list[RemoteBatch]:
        return with_claude(listening.url, lambda claude: claude.message_batches_since(since))

    everything = listed(LONG_AGO)
    assert len(everything) == 3
    assert listed(everything[1].created_at) == everything[:2]


def test_a_message_batch_can_be_cancelled_until_it_has_ended(listening: Listening) -> None:
    remote = submitted(listening)
    cancel = lambda claude: claude.cancel_message_batch(remote.id)  # noqa: E731
    assert with_claude(listening.url, cancel).canceling
    listening.claude.clock.advance(10)
    with pytest.raises(errors.RequestRefused):
        with_claude(listening.url, cancel)


def test_one_that_is_not_there_or_not_kept_any_more_is_gone(listening: Listening) -> None:
    remote_id = ended(listening)
    for missing in (lambda claude: claude.message_batch("msgbatch_1"), lambda claude: claude.cancel_message_batch("x")):
        with pytest.raises(errors.ResultsGone):
            with_claude(listening.url, missing)
    listening.claude.clock.advance(30 * 86_400)
    with pytest.raises(errors.ResultsGone):
        results(listening.url, remote_id)


@pytest.mark.parametrize("fault", ["short-body", "not-json", "reset", "hang:0.1"])
def test_a_stream_that_breaks_off_is_an_error_of_ours(listening: Listening, fault: str) -> None:
    remote_id = ended(listening)
    listening.claude.when("", fault, endpoint="batches.results")
    with pytest.raises(errors.RetryLater):
        results(listening.url, remote_id)
    assert len(results(listening.url, remote_id)) == 1


NO_BATCHES = {
    "nothing": Raw(200, b""),
    "HTML": Raw(200, b"<html>Please log in</html>", {"content-type": "text/html"}),
    "null": Raw(200, b"null"),
    "a list": Raw(200, b"[]"),
    "an empty object": Raw(200, b"{}"),
    "counts in words": Raw(200, json.dumps({"id": "msgbatch_1", "request_counts": {"processing": "many"}}).encode()),
    "data of another kind": Raw(200, b'{"data": 7}'),
}


@pytest.mark.parametrize("answer", NO_BATCHES.values(), ids=NO_BATCHES.keys())
def test_a_200_that_is_no_message_batch_is_malformed(answer: Raw) -> None:
    async def create(claude: Claude) -> object:
        return await claude.submit(requests(1))

    async def since(claude: Claude) -> object:
        return await claude.message_batches_since(LONG_AGO)

    for use in (create, since):
        with answering(answer) as server, pytest.raises(errors.ReplyMalformed) as problem:
            with_claude(server.url, use)
        assert str(problem.value).startswith("Claude's server sent something that is not")


def test_a_server_without_message_batches_says_what_to_do(listening: Listening) -> None:
    listening.claude.when("", "404", endpoint="batches.create")
    with pytest.raises(errors.ConfigurationInvalid, match="choose live delivery"):
        submitted(listening)

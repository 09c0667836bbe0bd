"""Message batches, through the real SDK: from creation to results, with everything that can become of a request."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic
from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse

from generation.reply import output_format, parse_reply
from generation.simulated.running import Listening
from tests.generation.simulated.sdk import MODEL, ask, cached, message

DAY = 86_400.0


def requests(*prompts: str, **changes: Any) -> list[Any]:
    return [{"custom_id": f"c-{n}", "params": message(prompt, **changes)} for n, prompt in enumerate(prompts)]


def created(url: str, batched: list[Any], **options: Any) -> MessageBatch:
    async def use(sdk: AsyncAnthropic) -> MessageBatch:
        return await sdk.messages.batches.create(requests=batched)

    return ask(url, use, **options)


def retrieved(url: str, batch_id: str) -> MessageBatch:
    return ask(url, lambda sdk: sdk.messages.batches.retrieve(batch_id))


def results(url: str, batch_id: str) -> list[MessageBatchIndividualResponse]:
    """In the order in which they come."""

    async def use(sdk: AsyncAnthropic) -> list[MessageBatchIndividualResponse]:
        return [result async for result in await sdk.messages.batches.results(batch_id)]

    return ask(url, use)


def kinds(url: str, batch_id: str) -> dict[str, str]:
    """The kind of each request's result, by its custom id."""
    return {one.custom_id: one.result.type for one in results(url, batch_id)}


def done(listening: Listening, batched: list[Any]) -> str:
    """The id of a batch with these requests that has ended."""
    batch = created(listening.url, batched)
    listening.claude.clock.advance(listening.claude.behaviour.batch_seconds + 1)
    return batch.id


def raw(url: str, body: object) -> tuple[int, dict[str, Any]]:
    """The reply to a batch's creation over plain HTTP."""
    headers = {"x-api-key": "k", "anthropic-version": "2026-10-21", "content-type": "application/json"}
    request = urllib.request.Request(f"{url}/v1/messages/batches", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


# --- The way of a batch ----------------------------------------------------------------------------------


def test_a_new_batch_is_in_progress(listening: Listening) -> None:
    batch = created(listening.url, requests("One?", "Two?"))
    assert (batch.type, batch.processing_status) == ("message_batch", "in_progress")
    assert batch.request_counts.to_dict() == {
        "processing": 2,
        "succeeded": 0,
        "errored": 0,
        "canceled": 0,
        "expired": 0,
    }
    assert batch.expires_at - batch.created_at == timedelta(days=1)
    assert (batch.ended_at, batch.results_url, batch.cancel_initiated_at, batch.archived_at) == (None,) * 4


def test_it_ends_after_its_time_and_not_before(listening: Listening) -> None:
    listening.claude.behaviour.batch_seconds = 100
    batch = created(listening.url, requests("One?", "Two?"))
    listening.claude.clock.advance(90)
    waiting = retrieved(listening.url, batch.id)
    assert (waiting.processing_status, waiting.request_counts.processing) == ("in_progress", 2)
    listening.claude.clock.advance(10)
    ended = retrieved(listening.url, batch.id)
    assert (ended.processing_status, ended.request_counts.succeeded) == ("ended", 2)
    assert ended.ended_at is not None and ended.ended_at - ended.created_at == timedelta(seconds=100)
    assert ended.results_url == f"{listening.url}/v1/messages/batches/{batch.id}/results"


def test_each_batch_takes_the_time_that_was_set_when_it_was_created(listening: Listening) -> None:
    listening.claude.behaviour.batch_seconds = 1_000
    slow = created(listening.url, requests("One?"))
    listening.claude.behaviour.batch_seconds = 10
    quick = created(listening.url, requests("One?"))
    listening.claude.clock.advance(20)
    assert retrieved(listening.url, slow.id).processing_status == "in_progress"
    assert retrieved(listening.url, quick.id).processing_status == "ended"


def test_a_result_is_a_whole_message_at_the_tier_of_batches(listening: Listening) -> None:
    [one] = results(listening.url, done(listening, requests("Hello?", output_config=output_format())))
    assert one.result.type == "succeeded"
    reply = one.result.message
    assert reply.model == f"simulated-{MODEL}"
    assert reply.content[0].type == "text"
    assert parse_reply(reply.content[0].text).turns
    assert (reply.usage.service_tier, reply.usage.input_tokens) == ("batch", 1)


def test_results_come_in_another_order_than_the_requests_and_the_same_each_time(listening: Listening) -> None:
    asked = requests(*(f"Question {number}?" for number in range(30)))
    batch_id = done(listening, asked)
    first, second = results(listening.url, batch_id), results(listening.url, batch_id)
    order = [result.custom_id for result in first]
    assert order != [request["custom_id"] for request in asked]
    assert sorted(order) == sorted(request["custom_id"] for request in asked)
    assert [one.to_dict() for one in first] == [one.to_dict() for one in second]


def test_the_same_prompt_twice_in_a_batch_gets_two_answers(listening: Listening) -> None:
    texts = set()
    for one in results(listening.url, done(listening, requests("Hello?", "Hello?", output_config=output_format()))):
        assert one.result.type == "succeeded" and one.result.message.content[0].type == "text"
        texts.add(one.result.message.content[0].text)
    assert len(texts) == 2


def test_results_are_not_there_before_the_end(listening: Listening) -> None:
    batch = created(listening.url, requests("One?"))

    async def use(sdk: AsyncAnthropic) -> object:
        return await sdk.get(f"/v1/messages/batches/{batch.id}/results", cast_to=object)

    with pytest.raises(anthropic.NotFoundError, match="not yet available"):
        ask(listening.url, use)


def test_results_are_gone_after_29_days_but_the_batch_is_still_shown(listening: Listening) -> None:
    batch_id = done(listening, requests("One?"))
    listening.claude.clock.advance(29 * DAY)
    shown = retrieved(listening.url, batch_id)
    assert (shown.processing_status, shown.results_url) == ("ended", None)
    assert shown.archived_at is not None
    with pytest.raises(anthropic.AnthropicError, match="No `results_url`"):
        results(listening.url, batch_id)


# --- What can become of a request ------------------------------------------------------------------------


def test_a_wrong_request_is_an_errored_result_and_the_others_succeed(listening: Listening) -> None:
    asked = [
        *requests("One?"),
        {"custom_id": "hot", "params": message(temperature=0.5)},
        {"custom_id": "unknown", "params": message(model="claude-sonnet-99")},
        {"custom_id": "streamed", "params": message(stream=True)},
        {"custom_id": "warming", "params": message(max_tokens=0)},
        {"custom_id": "empty", "params": {}},
    ]
    batch_id = done(listening, asked)
    errors = {
        one.custom_id: one.result.error for one in results(listening.url, batch_id) if one.result.type == "errored"
    }
    assert {name: error.error.type for name, error in errors.items()} == {
        "hot": "invalid_request_error",
        "unknown": "not_found_error",
        "streamed": "invalid_request_error",
        "warming": "invalid_request_error",
        "empty": "invalid_request_error",
    }
    assert errors["hot"].error.message == "temperature: Extra inputs are not permitted"
    assert (errors["hot"].request_id or "").startswith("req_simulated_")
    counts = retrieved(listening.url, batch_id).request_counts
    assert (counts.succeeded, counts.errored, counts.processing) == (1, 5, 0)


def test_a_batch_may_have_longer_replies_than_a_message_that_is_not_streamed(listening: Listening) -> None:
    assert kinds(listening.url, done(listening, requests("One?", max_tokens=128_000))) == {"c-0": "succeeded"}
    assert kinds(listening.url, done(listening, requests("One?", max_tokens=128_001))) == {"c-0": "errored"}


def test_every_kind_of_result_can_be_scripted_in_the_order_of_the_requests(listening: Listening) -> None:
    listening.claude.behaviour.batch_script.extend(["", "expired", "canceled", "500", "529", "reset", "refusal"])
    batch_id = done(listening, requests(*"abcdefg"))
    found = {one.custom_id: one.result for one in results(listening.url, batch_id)}
    assert [found[f"c-{number}"].type for number in range(7)] == [
        *("succeeded", "expired", "canceled", "errored", "errored", "errored", "succeeded"),
    ]
    told = [found[f"c-{number}"].to_dict()["error"]["error"]["type"] for number in (3, 4, 5)]  # type: ignore[index]
    assert told == ["api_error", "overloaded_error", "api_error"]
    assert found["c-6"].to_dict()["message"]["stop_reason"] == "refusal"  # type: ignore[index]
    counts = retrieved(listening.url, batch_id).request_counts
    assert (counts.succeeded, counts.errored, counts.canceled, counts.expired) == (2, 3, 1, 1)


def test_results_can_be_scripted_by_what_a_request_holds(listening: Listening) -> None:
    listening.claude.when("Pensions", "expired", "malformed", endpoint="batched")
    batch_id = done(listening, requests("Savings?", "Pensions?", "Pensions!", "Pensions…"))
    assert kinds(listening.url, batch_id) == {
        "c-0": "succeeded",
        "c-1": "expired",
        "c-2": "succeeded",
        "c-3": "succeeded",
    }


@pytest.mark.parametrize(("rate", "least", "most"), [(0.0, 0, 0), (0.3, 10, 60), (1.0, 120, 120)])
def test_a_share_can_fail_at_random(start_claude: Callable[..., Listening], rate: float, least: int, most: int) -> None:
    listening = start_claude(fault_rate=rate, faults=("500", "reset"))
    found = kinds(listening.url, done(listening, requests(*(f"{n}?" for n in range(120)))))
    assert least <= list(found.values()).count("errored") <= most


def test_what_is_not_done_within_a_day_expires(listening: Listening) -> None:
    listening.claude.behaviour.batch_seconds = 2 * DAY
    batch = created(listening.url, requests(*(f"{n}?" for n in range(10))))
    listening.claude.clock.advance(DAY + 1)
    ended = retrieved(listening.url, batch.id)
    assert ended.processing_status == "ended"
    assert ended.ended_at == ended.expires_at
    assert (ended.request_counts.succeeded, ended.request_counts.expired) == (5, 5)


# --- Cancelling and deleting -----------------------------------------------------------------------------


def test_cancelling_keeps_what_is_done_and_ends_a_little_later(listening: Listening) -> None:
    listening.claude.behaviour.batch_seconds = 100
    batch = created(listening.url, requests(*(f"{n}?" for n in range(10))))
    listening.claude.clock.advance(45)
    canceling = ask(listening.url, lambda sdk: sdk.messages.batches.cancel(batch.id))
    assert (canceling.processing_status, canceling.request_counts.processing) == ("canceling", 10)
    assert canceling.cancel_initiated_at is not None
    listening.claude.clock.advance(11)
    ended = retrieved(listening.url, batch.id)
    assert (ended.processing_status, ended.cancel_initiated_at) == ("ended", canceling.cancel_initiated_at)
    assert (ended.request_counts.succeeded, ended.request_counts.canceled) == (4, 6)
    assert sorted(kinds(listening.url, batch.id).values()) == ["canceled"] * 6 + ["succeeded"] * 4


def test_cancelling_once_more_changes_nothing(listening: Listening) -> None:
    listening.claude.behaviour.batch_seconds = 100
    batch = created(listening.url, requests("One?"))
    first = ask(listening.url, lambda sdk: sdk.messages.batches.cancel(batch.id))
    listening.claude.clock.advance(5)
    again = ask(listening.url, lambda sdk: sdk.messages.batches.cancel(batch.id))
    assert again == first


def test_a_batch_that_has_ended_cannot_be_cancelled(listening: Listening) -> None:
    batch_id = done(listening, requests("One?"))
    with pytest.raises(anthropic.BadRequestError, match="has ended already"):
        ask(listening.url, lambda sdk: sdk.messages.batches.cancel(batch_id))


def test_a_batch_can_be_deleted_once_it_has_ended(listening: Listening) -> None:
    batch = created(listening.url, requests("One?"))
    with pytest.raises(anthropic.BadRequestError, match="still being processed"):
        ask(listening.url, lambda sdk: sdk.messages.batches.delete(batch.id))
    listening.claude.clock.advance(60)
    gone = ask(listening.url, lambda sdk: sdk.messages.batches.delete(batch.id))
    assert (gone.id, gone.type) == (batch.id, "message_batch_deleted")
    with pytest.raises(anthropic.NotFoundError):
        retrieved(listening.url, batch.id)


def test_a_batch_that_there_is_not_is_not_found(listening: Listening) -> None:
    for use in (
        lambda sdk: sdk.messages.batches.retrieve("msgbatch_none"),
        lambda sdk: sdk.messages.batches.cancel("msgbatch_none"),
        lambda sdk: sdk.messages.batches.delete("msgbatch_none"),
    ):
        with pytest.raises(anthropic.NotFoundError, match="msgbatch_none was not found"):
            ask(listening.url, use)


# --- The list --------------------------------------------------------------------------------------------


def test_the_list_shows_the_newest_first_and_goes_on_page_by_page(listening: Listening) -> None:
    ids = [created(listening.url, requests("One?")).id for _ in range(5)]

    async def use(sdk: AsyncAnthropic) -> list[str]:
        return [batch.id async for batch in sdk.messages.batches.list(limit=2)]

    assert ask(listening.url, use) == ids[::-1]
    assert len(listening.claude.arrivals.of("batches.list")) == 3


def test_pages_can_be_read_in_both_directions(listening: Listening) -> None:
    newest_first = [created(listening.url, requests("One?")).id for _ in range(5)][::-1]

    async def use(sdk: AsyncAnthropic) -> list[tuple[list[str], bool | None, str | None]]:
        pages = [
            await sdk.messages.batches.list(after_id=newest_first[1], limit=2),
            await sdk.messages.batches.list(before_id=newest_first[4], limit=2),
            await sdk.messages.batches.list(before_id=newest_first[1], limit=2),
        ]
        return [([batch.id for batch in page.data], page.has_more, page.first_id) for page in pages]

    after, before, first = ask(listening.url, use)
    assert after == (newest_first[2:4], True, newest_first[2])
    assert before == (newest_first[2:4], True, newest_first[2])
    assert first == (newest_first[:1], False, newest_first[0])


def test_an_empty_list_is_a_list(listening: Listening) -> None:
    page = ask(listening.url, lambda sdk: sdk.messages.batches.list())
    assert (page.data, page.has_more, page.first_id, page.last_id) == ([], False, None, None)


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ({"limit": 0}, "from 1 to 1000"),
        ({"limit": 1_001}, "from 1 to 1000"),
        ({"limit": "many"}, "from 1 to 1000"),
        ({"after_id": "msgbatch_none"}, "no such Message Batch"),
        ({"before_id": "msgbatch_none"}, "no such Message Batch"),
        ({"after_id": "a", "before_id": "b"}, "cannot both be given"),
        ({"extra_query": {"page": 2}}, "page: Extra inputs are not permitted"),
    ],
    ids=str,
)
def test_a_wrong_page_is_refused(listening: Listening, query: dict[str, Any], complaint: str) -> None:
    with pytest.raises(anthropic.BadRequestError, match=complaint):
        ask(listening.url, lambda sdk: sdk.messages.batches.list(**query))


# --- What is no batch ------------------------------------------------------------------------------------

GOOD = {"custom_id": "one", "params": message()}

WRONG: list[tuple[object, str]] = [
    ([], "The request body is not valid JSON"),
    ({}, "requests: Field required"),
    ({"requests": []}, "requests: List should have 1 to 100000 items, not 0"),
    ({"requests": {}}, "requests: Input should be a valid list"),
    ({"requests": ["one"]}, "requests.0: Input should be an object"),
    ({"requests": [GOOD], "priority": 1}, "priority: Extra inputs are not permitted"),
    ({"requests": [{"params": message()}]}, "requests.0.custom_id: Field required"),
    ({"requests": [{"custom_id": "one"}]}, "requests.0.params: Field required"),
    ({"requests": [{**GOOD, "params": "Hello?"}]}, "requests.0.params: Input should be an object"),
    ({"requests": [{**GOOD, "model": MODEL}]}, "requests.0.model: Extra inputs are not permitted"),
    ({"requests": [{**GOOD, "custom_id": ""}]}, "requests.0.custom_id: String should match pattern"),
    ({"requests": [{**GOOD, "custom_id": "a b"}]}, "requests.0.custom_id: String should match pattern"),
    ({"requests": [{**GOOD, "custom_id": "é"}]}, "requests.0.custom_id: String should match pattern"),
    ({"requests": [{**GOOD, "custom_id": "a" * 65}]}, "requests.0.custom_id: String should match pattern"),
    ({"requests": [{**GOOD, "custom_id": 7}]}, "requests.0.custom_id: String should match pattern"),
    ({"requests": [GOOD, GOOD]}, "requests.1.custom_id: 'one' is not unique"),
]


@pytest.mark.parametrize(("body", "complaint"), WRONG, ids=[complaint for _body, complaint in WRONG])
def test_a_wrong_batch_is_refused_as_a_whole(listening: Listening, body: object, complaint: str) -> None:
    status, reply = raw(listening.url, body)
    assert (status, reply["error"]["type"]) == (400, "invalid_request_error")
    assert reply["error"]["message"].startswith(complaint)
    assert ask(listening.url, lambda sdk: sdk.messages.batches.list()).data == []


def test_custom_ids_of_64_characters_are_taken(listening: Listening) -> None:
    assert raw(listening.url, {"requests": [{**GOOD, "custom_id": "aZ09_-" * 10 + "abcd"}]})[0] == 200


def test_a_batch_has_100_000_requests_at_most(listening: Listening) -> None:
    many = [{"custom_id": str(number), "params": {}} for number in range(100_001)]
    status, reply = raw(listening.url, {"requests": many})
    assert (status, reply["error"]["message"]) == (400, "requests: List should have 1 to 100000 items, not 100001")


def test_a_batch_has_256_megabytes_at_most(listening: Listening) -> None:
    """Only the length that is announced: nobody reads the rest."""

    async def announce() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        lines = [
            *("POST /v1/messages/batches HTTP/1.1", "host: localhost", "x-api-key: k"),
            *("anthropic-version: 2026-10-21", f"content-length: {256 * 1024 * 1024 + 1}", "connection: close"),
        ]
        writer.write("\r\n".join([*lines, "", "{"]).encode())
        answer = await reader.read()
        writer.close()
        return answer

    head, _, body = asyncio.run(announce()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413")
    assert json.loads(body)["error"]["type"] == "request_too_large"


# --- Keys, limits, faults and the cache ------------------------------------------------------------------


def test_batches_need_the_key_too(listening: Listening) -> None:
    listening.claude.behaviour.api_key = "right"
    with pytest.raises(anthropic.AuthenticationError):
        created(listening.url, requests("One?"), api_key="wrong")
    assert created(listening.url, requests("One?"), api_key="right").processing_status == "in_progress"


@pytest.mark.parametrize("endpoint", ["batches.create", "batches.retrieve", "batches.list", "batches.results"])
def test_each_endpoint_can_be_told_to_fail(listening: Listening, endpoint: str) -> None:
    batch_id = done(listening, requests("One?"))
    uses: dict[str, Callable[[AsyncAnthropic], Any]] = {
        "batches.create": lambda sdk: sdk.messages.batches.create(requests=requests("One?")),
        "batches.retrieve": lambda sdk: sdk.messages.batches.retrieve(batch_id),
        "batches.list": lambda sdk: sdk.messages.batches.list(),
        "batches.results": lambda sdk: sdk.messages.batches.results(batch_id),
    }
    listening.claude.when("", "529", "reset", endpoint=endpoint)
    for problem in (anthropic.OverloadedError, anthropic.APIConnectionError):
        with pytest.raises(problem):
            ask(listening.url, uses[endpoint])
    ask(listening.url, uses[endpoint])


def cache_use(url: str, batch_id: str) -> list[tuple[int, int]]:
    """Tokens written to the cache and read from it, by each request of a batch."""
    found = [one.result.to_dict()["message"]["usage"] for one in results(url, batch_id)]  # type: ignore[index]
    return [(usage["cache_creation_input_tokens"], usage["cache_read_input_tokens"]) for usage in found]


def test_inside_a_cold_batch_nobody_reads_what_another_one_writes(listening: Listening) -> None:
    cold = done(listening, requests("One?", "Two?", "Three?", system=[cached()]))
    assert cache_use(listening.url, cold) == [(1_250, 0)] * 3
    warm = done(listening, requests("One?", "Two?", system=[cached()]))
    assert cache_use(listening.url, warm) == [(0, 1_250)] * 2


def test_a_batch_reads_what_a_message_wrote(listening: Listening) -> None:
    ask(listening.url, lambda sdk: sdk.messages.create(**message(system=[cached()])))
    assert cache_use(listening.url, done(listening, requests("One?", system=[cached()]))) == [(0, 1_250)]


def test_what_a_batch_writes_can_be_read_when_it_has_ended(listening: Listening) -> None:
    listening.claude.behaviour.batch_seconds = 1_000
    done(listening, requests("One?", system=[cached()]))
    reply = ask(listening.url, lambda sdk: sdk.messages.create(**message(system=[cached()])))
    assert reply.usage.cache_read_input_tokens == 1_250


def test_a_batch_is_created_although_the_answer_is_lost(listening: Listening) -> None:
    listening.claude.when("", "unanswered:0", endpoint="batches.create")
    with pytest.raises(anthropic.APIConnectionError):
        created(listening.url, requests("Hello?"))

    async def use(sdk: AsyncAnthropic) -> list[MessageBatch]:
        return [batch async for batch in sdk.messages.batches.list()]

    [batch] = ask(listening.url, use)
    assert batch.request_counts.processing == 1

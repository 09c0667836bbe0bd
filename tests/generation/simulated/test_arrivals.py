"""What reached the server: counted and timed there, whatever became of it."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic

from generation.simulated import arrivals
from generation.simulated.running import Listening, beside
from generation.simulated.server import Behaviour, SimulatedClaude
from tests.generation.simulated.sdk import MODEL, ask, message


def send(url: str, *requests: dict[str, Any], **options: Any) -> None:
    """All of them, one after the other, whatever comes of it."""

    async def use(sdk: AsyncAnthropic) -> None:
        for request in requests:
            with suppress(anthropic.APIError):
                await sdk.messages.create(**request)

    ask(url, use, **options)


def told(url: str, query: str = "") -> Any:
    """What the server itself tells, to any process."""
    with urllib.request.urlopen(f"{url}/arrivals{query}", timeout=5) as reply:
        return json.load(reply)


def test_every_request_is_counted_also_those_that_fail_or_are_refused(listening: Listening) -> None:
    listening.claude.behaviour.script.extend(["529", "reset", "refusal"])
    send(listening.url, message(), message(), message(), message(model="claude-sonnet-99"), message(max_tokens=-1))
    listening.claude.behaviour.api_key = "right"
    send(listening.url, message(), api_key="wrong")
    send(listening.url, message(), api_key="right")
    found = listening.claude.arrivals
    assert [arrival.status for arrival in found] == [529, 0, 200, 404, 400, 401, 200]
    assert [arrival.fault for arrival in found] == ["529", "reset", "refusal", "", "", "", ""]
    assert [arrival.model for arrival in found] == [*[MODEL] * 3, "claude-sonnet-99", MODEL, "", MODEL]
    assert [arrival.number for arrival in found] == [1, 2, 3, 4, 5, 6, 7]
    assert found.total == len(found) == 7
    assert len(listening.claude.requests) == 4, "those that the rules let through"


def test_an_arrival_tells_what_the_reply_told(listening: Listening) -> None:
    reply = ask(listening.url, lambda sdk: sdk.messages.create(**message()))
    [arrival] = listening.claude.arrivals
    assert (arrival.method, arrival.path, arrival.endpoint) == ("POST", "/v1/messages", "messages")
    assert arrival.request_id == reply._request_id
    assert arrival.usage["output_tokens"] == reply.usage.output_tokens


def test_times_are_the_servers_and_those_of_the_arrival_not_of_the_answer(listening: Listening) -> None:
    send(listening.url, message())  # the SDK is loaded now
    listening.claude.behaviour.latency = 0.3
    before, before_moment = time.time(), time.monotonic()
    send(listening.url, message())
    arrival = listening.claude.arrivals[-1]
    assert before <= arrival.at <= time.time() - 0.2
    assert before_moment <= arrival.moment <= time.monotonic() - 0.2


def test_a_request_that_waits_for_its_answer_has_arrived(listening: Listening) -> None:
    listening.claude.behaviour.script.append("hang")
    with pytest.raises(anthropic.APITimeoutError):
        ask(listening.url, lambda sdk: sdk.messages.create(**message()), timeout=0.3)
    [arrival] = listening.claude.arrivals
    assert (arrival.status, arrival.fault) == (0, "hang")


def test_other_processes_read_them_over_http(listening: Listening) -> None:
    send(listening.url, message(), message(), message())
    found = told(listening.url)
    assert found["total"] == 3
    assert [one["number"] for one in found["arrivals"]] == [1, 2, 3]
    assert set(found["arrivals"][0]) == {
        *("number", "endpoint", "method", "path", "request_id", "at", "moment", "model", "fault", "status", "usage"),
    }
    later = told(listening.url, "?after=2")
    assert (later["total"], [one["number"] for one in later["arrivals"]]) == (3, [3])
    assert told(listening.url)["total"] == 3, "to look is no arrival"


@pytest.mark.parametrize("after", ["-1", "x", "%C2%B2"])
def test_a_wrong_number_to_begin_after_is_refused(listening: Listening, after: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        told(listening.url, f"?after={after}")
    assert json.load(raised.value)["error"]["message"].startswith("after: ")


def test_only_the_last_ones_are_kept_unless_all_are_to_be_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "KEPT", 2)
    with beside(SimulatedClaude(Behaviour(latency=0))) as listening:
        send(listening.url, message(), message(), message())
        assert [arrival.number for arrival in listening.claude.arrivals] == [2, 3]
        assert listening.claude.arrivals.total == 3
    with beside(SimulatedClaude(Behaviour(latency=0), remember=True)) as listening:
        send(listening.url, message(), message(), message())
        assert len(listening.claude.arrivals) == 3


def test_a_path_that_there_is_not_is_answered_in_anthropics_shape_and_counted(listening: Listening) -> None:
    for path, status, kind in [
        ("/v1/complete", 404, "not_found_error"),
        ("/v1/messages", 405, "invalid_request_error"),
    ]:
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(listening.url + path, timeout=5)
        assert (raised.value.code, json.load(raised.value)["error"]["type"]) == (status, kind)
    assert [(one.endpoint, one.path) for one in listening.claude.arrivals] == [
        ("", "/v1/complete"),
        ("", "/v1/messages"),
    ]


def test_arrivals_that_come_at_once_are_all_counted(start_claude: Callable[..., Listening]) -> None:
    listening = start_claude(latency=0.05)

    async def use(sdk: AsyncAnthropic) -> None:
        await asyncio.gather(*(sdk.messages.create(**message(f"{number}?")) for number in range(40)))

    ask(listening.url, use)
    assert sorted(one.number for one in listening.claude.arrivals.of("messages")) == list(range(1, 41))

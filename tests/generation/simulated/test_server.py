"""Simulated Claude's answers and faults, over real HTTP."""

import asyncio
import json
import time
import urllib.request
from typing import Any

import pytest

from generation.answers import Answer
from generation.claude import Claude
from generation.endpoint import Endpoint
from generation.reply import output_format, parse_reply
from generation.simulated.running import Listening, beside, listen
from generation.simulated.server import Behaviour, SimulatedClaude


def request_for(prompt: str) -> dict[str, Any]:
    return {
        "model": "claude-sonnet-5-5",
        "max_tokens": 16_000,
        "messages": [{"role": "user", "content": prompt}],
        "output_config": output_format(),
    }


def brief(number: int = 0) -> str:
    return f"<brief><persona>Saver {number}</persona><topic>Emergency fund</topic></brief>"


def outcomes(url: str, prompts: list[str], *, at_once: int = 1, timeout: float = 10.0) -> list[Answer | Exception]:
    """What came of a conversation's request for each prompt."""

    async def all_of_them() -> list[Answer | BaseException]:
        free = asyncio.Semaphore(at_once)
        async with Claude(Endpoint(url, "test-key", 50), timeout=timeout) as claude:

            async def one(prompt: str) -> Answer:
                async with free:
                    return await claude.send(request_for(prompt))

            return await asyncio.gather(*map(one, prompts), return_exceptions=True)

    return asyncio.run(all_of_them())  # type: ignore[return-value]


def answer(url: str, prompt: str = "") -> Answer:
    [only] = outcomes(url, [prompt or brief()])
    assert isinstance(only, Answer), only
    return only


def test_an_answer_is_a_conversation_as_ordered(listening: Listening) -> None:
    reply = parse_reply(answer(listening.url).text)
    assert len(reply.turns) >= 6
    assert (reply.turns[0].role, reply.turns[-1].role) == ("user", "assistant")


def test_without_a_schema_it_answers_in_words(listening: Listening) -> None:
    async def once() -> Answer:
        async with Claude(Endpoint(listening.url, "k", 50), timeout=5) as claude:
            plain = request_for("What is an emergency fund?")
            del plain["output_config"]
            return await claude.send(plain)

    text = asyncio.run(once()).text
    assert text.strip()
    assert not text.startswith("{")


def test_every_answer_is_marked_by_its_models_name(listening: Listening) -> None:
    assert answer(listening.url).model == "simulated-claude-sonnet-5-5"


def test_tokens_are_counted_from_what_was_sent_and_written(listening: Listening) -> None:
    short, long = answer(listening.url, "a" * 40 + brief()), answer(listening.url, "a" * 4_040 + brief())
    assert long.usage.input - short.usage.input == 1_000
    assert short.usage.output == len(short.text) // 4
    assert (short.usage.cache_read, short.usage.cache_write) == (0, 0)


def test_the_same_prompt_gets_the_same_answer_from_every_new_server_but_another_the_second_time() -> None:
    texts = []
    for _ in range(2):
        with beside(SimulatedClaude(Behaviour(latency=0))) as listening:
            texts.append([answer(listening.url, brief(1)).text for _ in range(3)])
    assert texts[0] == texts[1]
    assert len(set(texts[0])) == 3


def test_other_prompts_get_other_answers_whatever_came_before() -> None:
    with beside(SimulatedClaude(Behaviour(latency=0))) as listening:
        first, second = answer(listening.url, brief(1)).text, answer(listening.url, brief(2)).text
    with beside(SimulatedClaude(Behaviour(latency=0))) as listening:
        alone = answer(listening.url, brief(2)).text
    assert first != second == alone


@pytest.mark.parametrize(("weak", "least", "most"), [(0.0, 0, 0), (0.3, 12, 40), (1.0, 80, 80)])
def test_about_the_share_that_was_asked_for_is_weak(weak: float, least: int, most: int) -> None:
    """80 conversations; a weak one differs from what the same prompt gets where none is weak."""
    prompts = [brief(number) for number in range(80)]
    with beside(SimulatedClaude(Behaviour(latency=0, weak=0))) as listening:
        strong = [one.text for one in outcomes(listening.url, prompts, at_once=8) if isinstance(one, Answer)]
    with beside(SimulatedClaude(Behaviour(latency=0, weak=weak))) as listening:
        mixed = [one.text for one in outcomes(listening.url, prompts, at_once=8) if isinstance(one, Answer)]
    assert least <= sum(one != other for one, other in zip(strong, mixed, strict=True)) <= most


def test_the_latency_is_as_asked() -> None:
    with beside(SimulatedClaude(Behaviour(latency=0.2, jitter=0))) as listening:
        answer(listening.url)  # the SDK is loaded now
        begun = time.monotonic()
        answer(listening.url)
        assert 0.2 <= time.monotonic() - begun < 2


def test_many_are_answered_at_once() -> None:
    """40 answers of 0.2 s each would take 8 s one after the other."""
    with beside(SimulatedClaude(Behaviour(latency=0.2, jitter=0))) as listening:
        begun = time.monotonic()
        results = outcomes(listening.url, [brief(number) for number in range(40)], at_once=40)
        assert time.monotonic() - begun < 4
    assert all(isinstance(result, Answer) for result in results)


# --- The server itself -----------------------------------------------------------------------------------


def test_it_tells_whose_it_is() -> None:
    with (
        beside(SimulatedClaude(Behaviour(), identity="/home/ada/convgen/var")) as listening,
        urllib.request.urlopen(f"{listening.url}/health", timeout=5) as reply,
    ):
        assert json.load(reply) == {"simulated": "/home/ada/convgen/var"}


def test_whoever_looks_for_it_keeps_it_from_ending() -> None:
    claude = SimulatedClaude(Behaviour())
    with beside(claude) as listening:
        claude.last_asked = before = time.monotonic() - 1_000
        urllib.request.urlopen(f"{listening.url}/health", timeout=5).close()
        assert claude.last_asked > before + 900


def test_requests_are_kept_only_when_asked_for() -> None:
    with beside(SimulatedClaude(Behaviour(latency=0))) as listening:
        answer(listening.url)
        assert listening.claude.requests == []


def test_a_port_that_is_taken_is_an_error(listening: Listening) -> None:
    with pytest.raises(OSError, match="in use"):
        listen(SimulatedClaude(Behaviour()), port=listening.port)


def test_it_ends_when_nobody_has_asked_for_a_while() -> None:
    begun = time.monotonic()
    ending = listen(SimulatedClaude(Behaviour()))
    ending.serve(idle_exit=0.2)  # returns when it has ended
    ending.socket.close()
    assert 0.2 <= time.monotonic() - begun < 5

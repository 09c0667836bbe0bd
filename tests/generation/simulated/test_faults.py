"""How simulated Claude fails on request: as the product's client meets it, and on the wire."""

import asyncio
import json
import socket
import time
from collections.abc import Callable
from typing import Any

import anthropic
import pytest

from generation import errors
from generation.answers import Answer
from generation.claude import Claude
from generation.endpoint import Endpoint
from generation.reply import output_format, parse_reply
from generation.simulated.behaviour import Behaviour
from generation.simulated.faults import FAULTS, Fault, parse_fault
from generation.simulated.running import Listening
from generation.simulated.script import ENDPOINTS
from tests.generation.simulated.sdk import MODEL, ask, message

BRIEF = "<brief><persona>Saver</persona><topic>Emergency fund</topic></brief>"


def outcomes(url: str, *prompts: str, at_once: int = 1, timeout: float = 10.0) -> list[Answer | errors.GenerationError]:
    """What came of a conversation's request for each prompt."""

    async def all_of_them() -> list[Any]:
        free = asyncio.Semaphore(at_once)
        async with Claude(Endpoint(url, "test-key", 50), timeout=timeout) as claude:

            async def one(prompt: str) -> Answer:
                async with free:
                    return await claude.send(message(prompt, max_tokens=16_000, output_config=output_format()))

            return await asyncio.gather(*map(one, prompts), return_exceptions=True)

    return asyncio.run(all_of_them())


def outcome(url: str, prompt: str = BRIEF, **options: Any) -> Answer | errors.GenerationError:
    [only] = outcomes(url, prompt, **options)
    return only


def codes(found: list[Answer | errors.GenerationError]) -> list[str]:
    """The codes of errors; empty for answers."""
    return [one.code() if isinstance(one, errors.GenerationError) else "" for one in found]


AS_ERRORS = {
    "400": "request_refused",
    "401": "key_refused",
    "402": "payment_required",
    "403": "access_denied",
    "404": "model_unknown",
    "408": "server_failed",
    "409": "server_failed",
    "413": "request_too_large",
    "422": "request_refused",
    "429": "rate_limited",
    "429-without-retry-after": "rate_limited",
    "spend-limit": "spend_limit_reached",
    "on-hold": "access_denied",
    "500": "server_failed",
    "502": "server_failed",
    "503": "server_failed",
    "504": "server_failed",
    "529": "overloaded",
    "cut-off": "reply_cut_off",
    "refusal": "reply_refused",
    "not-json": "reply_malformed",
    "short-body": "unreachable",
    "reset": "unreachable",
    "hang:1.5": "timed_out",
    "unanswered:1.5": "timed_out",
}
ODD_TEXTS = ("malformed", "wrong-schema", "no-text")
HARMLESS = ("thinking-first", "slow")


def test_every_fault_is_tested_here() -> None:
    tested = {fault.partition(":")[0] for fault in (*AS_ERRORS, *ODD_TEXTS, *HARMLESS)}
    assert tested == set(FAULTS)
    assert set(Behaviour.faults) <= set(FAULTS)


@pytest.mark.parametrize("fault", AS_ERRORS)
def test_a_fault_of_the_script_happens_once_and_then_all_is_well(listening: Listening, fault: str) -> None:
    listening.claude.behaviour.script.append(fault)
    failed = outcome(listening.url, timeout=1 if AS_ERRORS[fault] == "timed_out" else 10.0)
    assert isinstance(failed, errors.GenerationError)
    assert failed.code() == AS_ERRORS[fault]
    assert isinstance(outcome(listening.url), Answer)


@pytest.mark.parametrize("fault", ODD_TEXTS)
def test_an_answer_can_come_whole_and_yet_be_no_conversation(listening: Listening, fault: str) -> None:
    listening.claude.behaviour.script.append(fault)
    answer = outcome(listening.url)
    assert isinstance(answer, Answer)
    with pytest.raises(errors.ReplyMalformed):
        parse_reply(answer.text)


def test_a_thought_can_come_before_a_good_answer(listening: Listening) -> None:
    listening.claude.behaviour.script.append("thinking-first")
    answer = outcome(listening.url)
    assert isinstance(answer, Answer)
    assert [block["type"] for block in answer.body["content"]] == ["thinking", "text"]
    assert parse_reply(answer.text).turns


def test_a_slow_answer_is_late_and_good(listening: Listening) -> None:
    outcome(listening.url)  # the SDK is loaded now
    listening.claude.behaviour.script.append("slow:0.3")
    begun = time.monotonic()
    assert isinstance(outcome(listening.url), Answer)
    assert 0.3 <= time.monotonic() - begun < 5


def test_a_hang_without_a_number_outlasts_everybody(listening: Listening) -> None:
    listening.claude.behaviour.script.append("hang")
    assert codes([outcome(listening.url, timeout=0.3)]) == ["timed_out"]


def test_a_reset_is_a_reset_and_a_short_body_is_cut_off_in_the_middle(listening: Listening) -> None:
    listening.claude.behaviour.script.extend(["reset", "short-body"])
    body = json.dumps(message()).encode()
    lines = [
        *("POST /v1/messages HTTP/1.1", "host: localhost", "x-api-key: k", "anthropic-version: 2026-10-21"),
        *(f"content-length: {len(body)}", "", ""),
    ]

    def received() -> bytes:
        with socket.create_connection(("127.0.0.1", listening.port)) as connection:
            connection.sendall("\r\n".join(lines).encode() + body)
            connection.settimeout(5)
            return b"".join(iter(lambda: connection.recv(4096), b""))

    with pytest.raises(ConnectionResetError):
        received()
    assert received().endswith(b"\r\n\r\n{")
    assert [arrival.status for arrival in listening.claude.arrivals] == [0, 0]


# --- What errors say -------------------------------------------------------------------------------------


def error(listening: Listening, fault: str) -> anthropic.APIStatusError:
    listening.claude.behaviour.script.append(fault)
    with pytest.raises(anthropic.APIStatusError) as raised:
        ask(listening.url, lambda sdk: sdk.messages.create(**message()))
    return raised.value


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("400", "invalid_request_error"),
        ("401", "authentication_error"),
        ("402", "billing_error"),
        ("403", "permission_error"),
        ("404", "not_found_error"),
        ("408", "timeout_error"),
        ("409", "conflict_error"),
        ("413", "request_too_large"),
        ("422", "invalid_request_error"),
        ("429", "rate_limit_error"),
        ("500", "api_error"),
        ("502", "api_error"),
        ("503", "api_error"),
        ("504", "timeout_error"),
        ("529", "overloaded_error"),
    ],
)
def test_an_error_has_its_status_and_anthropics_shape(listening: Listening, fault: str, kind: str) -> None:
    told = error(listening, fault)
    assert (told.status_code, told.type) == (int(fault), kind)
    assert told.body["request_id"] == told.request_id == listening.claude.arrivals[0].request_id  # type: ignore[index]


@pytest.mark.parametrize(
    ("fault", "retry_after"),
    [
        ("429", "1"),
        ("429:7", "7"),
        ("429:0.5", "0.5"),
        ("429:0", "0"),
        ("429-without-retry-after", None),
        ("spend-limit", None),
        ("529", None),
        ("529:20", "20"),
        ("503:3", "3"),
    ],
)
def test_an_error_says_how_long_to_wait_or_does_not(listening: Listening, fault: str, retry_after: str | None) -> None:
    assert error(listening, fault).response.headers.get("retry-after") == retry_after


def test_a_spend_limit_and_a_hold_are_named_by_their_codes(listening: Listening) -> None:
    spent, held = error(listening, "spend-limit"), error(listening, "on-hold")
    assert (spent.status_code, spent.error_code) == (429, "enforced_spend_limit_reached")
    assert (held.status_code, held.error_code) == (400, "organization_on_hold")


# --- The script ------------------------------------------------------------------------------------------


def test_the_script_may_leave_requests_alone(listening: Listening) -> None:
    listening.claude.behaviour.script.extend(["", "500", ""])
    assert codes(outcomes(listening.url, *[BRIEF] * 4)) == ["", "server_failed", "", ""]


@pytest.mark.parametrize(("rate", "least", "most"), [(0.0, 0, 0), (0.25, 15, 50), (1.0, 120, 120)])
def test_about_the_share_that_was_asked_for_fails(
    start_claude: Callable[..., Listening], rate: float, least: int, most: int
) -> None:
    url = start_claude(fault_rate=rate, faults=("500", "529:3")).url
    failed = [code for code in codes(outcomes(url, *[BRIEF] * 120, at_once=8)) if code]
    assert least <= len(failed) <= most
    assert set(failed) == ({"server_failed", "overloaded"} if rate else set())


def test_refused_requests_use_up_no_script(listening: Listening) -> None:
    listening.claude.behaviour.script.append("500")
    with pytest.raises(anthropic.NotFoundError):
        ask(listening.url, lambda sdk: sdk.messages.create(**message(model="claude-sonnet-99")))
    assert list(listening.claude.behaviour.script) == ["500"]


# --- By what a request holds -----------------------------------------------------------------------------


def test_the_request_about_a_topic_fails_twice_and_then_succeeds_and_the_others_always(listening: Listening) -> None:
    listening.claude.when("Pensions", "529", times=2)
    asked = ["Pensions", "Savings", "Pensions", "Pensions", "Savings"]
    assert codes(outcomes(listening.url, *asked)) == ["overloaded", "", "overloaded", "", ""]


def test_several_faults_come_one_after_the_other(listening: Listening) -> None:
    listening.claude.when("Pensions", "529", "", "refusal")
    assert codes(outcomes(listening.url, *["Pensions"] * 4)) == ["overloaded", "", "reply_refused", ""]


def test_a_request_can_be_chosen_by_any_of_its_parts(listening: Listening) -> None:
    listening.claude.when(lambda body: body["max_tokens"] > 20_000, "500")
    assert codes([outcome(listening.url)]) == [""]
    with pytest.raises(anthropic.InternalServerError):
        ask(listening.url, lambda sdk: sdk.messages.create(**message(max_tokens=21_000)))


def test_it_can_fail_for_ever(listening: Listening) -> None:
    listening.claude.when("Pensions", "529", "500", times=None)
    assert codes(outcomes(listening.url, *["Pensions"] * 5)) == [
        *("overloaded", "server_failed", "overloaded", "server_failed", "overloaded"),
    ]


def test_the_system_prompt_is_searched_too(listening: Listening) -> None:
    listening.claude.when("be kind", "500")
    with pytest.raises(anthropic.InternalServerError):
        ask(listening.url, lambda sdk: sdk.messages.create(**message(system="Please be kind.")))


def test_what_speaks_of_a_request_comes_before_the_script_and_leaves_it_alone(listening: Listening) -> None:
    listening.claude.behaviour.script.append("500")
    listening.claude.when("Pensions", "529", "")
    found = codes(outcomes(listening.url, "Pensions", "Pensions", "Savings"))
    assert found == ["overloaded", "", "server_failed"]


def test_of_two_that_speak_of_it_the_first_is_used_up_first(listening: Listening) -> None:
    listening.claude.when("Pensions", "529")
    listening.claude.when("Pensions", "500")
    found = codes(outcomes(listening.url, *["Pensions"] * 3))
    assert found == ["overloaded", "server_failed", ""]


# --- What is no fault ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fault"),
    [("429", Fault("429")), ("429:7", Fault("429", 7)), ("slow:2.5", Fault("slow", 2.5)), ("hang:0", Fault("hang", 0))],
)
def test_a_fault_is_a_name_and_perhaps_a_number(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault
    assert str(fault) == text


WRONG = [
    ("592", "Unknown fault: 592. Known are 400, 401"),
    (":7", "Unknown fault: . Known"),
    ("429:", "429:: behind the colon belongs a number of seconds"),
    ("429:soon", "429:soon: behind the colon belongs"),
    ("slow:-1", "slow:-1: behind the colon belongs"),
    ("hang:nan", "hang:nan: behind the colon belongs"),
    ("slow:inf", "slow:inf: behind the colon belongs"),
    ("refusal:2", "The fault refusal takes no number: write refusal alone."),
    ("expired", "Unknown fault: expired."),
]


@pytest.mark.parametrize(("text", "complaint"), WRONG, ids=[text for text, _complaint in WRONG])
def test_what_is_no_fault_is_refused_where_it_is_written(listening: Listening, text: str, complaint: str) -> None:
    script = listening.claude.behaviour.script
    for write in (script.append, lambda fault: script.extend([fault]), lambda fault: listening.claude.when("", fault)):
        with pytest.raises(ValueError, match="^" + complaint.replace(".", r"\.")):
            write(text)
    assert not script


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"endpoint": "answers"}, f"Unknown endpoint: answers. Known are {', '.join(ENDPOINTS)}."),
        ({"times": 0}, "times must be 1 or more; None stands for always."),
        ({"endpoint": "count_tokens", "faults": ["malformed"]}, "malformed spoils a reply: it fits the endpoints"),
        ({"faults": []}, "Name at least one fault."),
    ],
    ids=str,
)
def test_a_rule_that_cannot_be_is_refused(listening: Listening, options: dict[str, Any], complaint: str) -> None:
    faults = options.pop("faults", ["500"])
    with pytest.raises(ValueError, match=complaint.replace(".", r"\.")):
        listening.claude.when("Pensions", *faults, **options)
    assert codes([outcome(listening.url, "Pensions")]) == [""]


def test_counting_can_fail_too(listening: Listening) -> None:
    listening.claude.when("", "529", "slow:0", endpoint="count_tokens")
    request = {"model": MODEL, "messages": message()["messages"]}
    with pytest.raises(anthropic.OverloadedError):
        ask(listening.url, lambda sdk: sdk.messages.count_tokens(**request))
    assert ask(listening.url, lambda sdk: sdk.messages.count_tokens(**request)).input_tokens == 1

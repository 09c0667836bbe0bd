"""The client: whatever Claude's server does becomes one of our errors, with words that a curator understands."""

import asyncio
import inspect
import json
import socket
import subprocess
import sys
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic._error_classes import ERROR_CLASSES
from django.conf import settings

from generation import errors
from generation.answers import Answer, Usage
from generation.claude import Claude, translated
from generation.endpoint import Endpoint
from generation.simulated.running import Listening
from tests.generation.raw_server import REQUEST_ID, Raw, answering, dripping, error, message

REQUEST: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 1_000,
    "messages": [{"role": "user", "content": "Say hello."}],
}


def send(url: str, *, key: str = "test-key", timeout: float = 5.0, request: dict[str, Any] = REQUEST) -> Answer:
    async def once() -> Answer:
        async with Claude(Endpoint(url, key, 50), timeout=timeout) as claude:
            return await claude.send(request)

    return asyncio.run(once())


def failure(url: str, **options: Any) -> errors.GenerationError:
    with pytest.raises(errors.GenerationError) as raised:
        send(url, **options)
    return raised.value


STATUSES = [
    (error(400, "invalid_request_error", "too odd"), "request_refused", "change the template"),
    (error(401, "authentication_error", "bad key"), "key_refused", "Set a valid ANTHROPIC_API_KEY"),
    (error(402, "billing_error", "no money"), "payment_required", "Check your account's billing"),
    (error(403, "permission_error", "not yours"), "access_denied", "Check what your Anthropic account permits"),
    (error(404, "not_found_error", "model: x"), "model_unknown", "Check the model where it is set"),
    (error(408, "timeout_error", "slow"), "server_failed", "Try again"),
    (error(409, "conflict_error", "busy"), "server_failed", "Try again"),
    (error(413, "request_too_large", "too big"), "request_too_large", "Shorten the source"),
    (error(422, "invalid_request_error", "too odd"), "request_refused", "change the template"),
    (error(429, "rate_limit_error", "too fast"), "rate_limited", "lower RATE_LIMIT_RPM"),
    (error(500, "api_error", "oops"), "server_failed", "Try again"),
    (error(502, "api_error", "oops"), "server_failed", "Try again"),
    (error(503, "api_error", "oops"), "server_failed", "Try again"),
    (error(504, "timeout_error", "oops"), "server_failed", "Try again"),
    (error(529, "overloaded_error", "busy"), "overloaded", "Try again"),
]


@pytest.mark.parametrize(("answer", "code", "advice"), STATUSES, ids=[str(answer.status) for answer, _, _ in STATUSES])
def test_each_http_error_becomes_ours_with_a_next_step_and_its_request_id(answer: Raw, code: str, advice: str) -> None:
    with answering(answer) as server:
        problem = failure(server.url)
    assert problem.code() == code
    assert advice in str(problem)
    assert problem.request_id == REQUEST_ID
    assert len(server.requests) == 1, "the SDK must not retry by itself"


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422])
def test_a_final_error_repeats_what_the_server_said(status: int) -> None:
    with answering(error(status, "some_error", "max_tokens: far too many")) as server:
        assert "It said: max_tokens: far too many" in str(failure(server.url))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({}, None),
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after": "-3"}, 0.0),
        ({"retry_after": "soon"}, None),
        ({"retry_after": ""}, None),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "inf"}, None),
        ({"retry_after": "Sun, 22 Nov 2026 12:00:00 GMT"}, None),
    ],
    ids=str,
)
@pytest.mark.parametrize("status", [429, 529, 503])
def test_retry_after_is_read_where_it_is_readable(status: int, header: dict[str, str], seconds: float | None) -> None:
    with answering(error(status, "busy", "wait", **header)) as server:
        problem = failure(server.url)
    assert isinstance(problem, errors.RetryLater)
    assert problem.retry_after == seconds


@pytest.mark.parametrize("code", ["enforced_spend_limit_reached", "contract_spend_limit_reached"])
def test_a_429_for_the_spend_limit_stops_everything(code: str) -> None:
    with answering(error(429, "rate_limit_error", "limit", code=code)) as server:
        problem = failure(server.url)
    assert isinstance(problem, errors.SpendLimitReached)
    assert "Raise it in the Console" in str(problem)
    assert problem.request_id == REQUEST_ID


def test_a_429_with_another_code_is_a_matter_of_waiting() -> None:
    with answering(error(429, "rate_limit_error", "ramp", code="ramp_limit_exceeded", retry_after="2")) as server:
        problem = failure(server.url)
    assert isinstance(problem, errors.RateLimited)
    assert problem.retry_after == 2


def test_an_account_on_hold_is_not_blamed_on_the_template() -> None:
    with answering(error(400, "invalid_request_error", "on hold", code="organization_on_hold")) as server:
        problem = failure(server.url)
    assert isinstance(problem, errors.AccessDenied)
    assert "on hold" in str(problem)


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad gateway</html>", b"[1]", b'{"error": "odd"}', b'{"error": {}}', b"\xff"]
)
@pytest.mark.parametrize(("status", "code"), [(400, "request_refused"), (502, "server_failed")])
def test_an_error_without_anthropics_shape_is_still_told_by_its_status(status: int, code: str, body: bytes) -> None:
    with answering(Raw(status, body)) as server:
        problem = failure(server.url)
    assert problem.code() == code
    if status == 400:
        assert "It said: HTTP status 400" in str(problem)


def test_a_refused_connection_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    problem = failure(f"http://127.0.0.1:{port}")
    assert isinstance(problem, errors.Unreachable)
    assert "Check the network" in str(problem)


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1", "http://127.0.0.1:99999"])
def test_an_address_that_is_none_is_unreachable_and_names_the_setting(url: str) -> None:
    problem = failure(url)
    assert isinstance(problem, errors.Unreachable)
    assert "ANTHROPIC_BASE_URL" in str(problem)


def test_an_answer_that_breaks_off_is_unreachable(listening: Listening) -> None:
    listening.claude.behaviour.script.append("reset")
    assert isinstance(failure(listening.url), errors.Unreachable)


def test_an_answer_that_drips_is_a_timeout_too() -> None:
    with dripping(every=0.1) as url:
        problem = failure(url, timeout=0.4)
    assert problem.code() == "timed_out"


def test_no_answer_in_time_is_a_timeout(listening: Listening) -> None:
    listening.claude.behaviour.script.append("hang")
    problem = failure(listening.url, timeout=0.1)
    assert isinstance(problem, errors.TimedOut)
    assert "raise the timeout" in str(problem)


NO_MESSAGES = {
    "nothing": Raw(200, b""),
    "invalid JSON": Raw(200, b'{"id": "msg_1", "content'),
    "not UTF-8": Raw(200, b"\xff\xfe\xfa"),
    "a number of 5,000 digits": Raw(200, b'{"a": ' + b"1" * 5_000 + b"}"),
    "too deep": Raw(200, b"[" * 100_000),
    "HTML": Raw(200, b"<html>Please log in</html>", {"content-type": "text/html"}),
    "plain text": Raw(200, b"OK", {"content-type": "text/plain"}),
    "null": Raw(200, b"null"),
    "a list": Raw(200, b"[]"),
    "an empty object": Raw(200, b"{}"),
    "no content": message(content=None),
    "content of another kind": message(content="Hello."),
    "a text block without text": message(content=[{"type": "text", "text": None}, {"type": "text", "text": 7}]),
    "no model": message(model=None),
    "no usage": message(usage=None),
    "usage in words": message(usage={"input_tokens": "many", "output_tokens": 1}),
    "negative usage": message(usage={"input_tokens": -5, "output_tokens": 1}),
}


@pytest.mark.parametrize("answer", NO_MESSAGES.values(), ids=NO_MESSAGES.keys())
def test_a_200_that_is_no_message_is_a_malformed_reply(answer: Raw) -> None:
    with answering(answer) as server:
        problem = failure(server.url)
    assert isinstance(problem, errors.ReplyMalformed)
    assert str(problem).startswith("Claude's server sent something that is not")
    assert "again" in str(problem)


def test_a_good_message_is_read_whole() -> None:
    usage = {
        "input_tokens": 10,
        "output_tokens": 20,
        "cache_read_input_tokens": 30,
        "cache_creation_input_tokens": 40,
    }
    with answering(message(usage=usage)) as server:
        answer = send(server.url)
    assert (answer.text, answer.model, answer.request_id) == ("Hello.", "claude-sonnet-5-5", REQUEST_ID)
    assert answer.usage == Usage(input=10, output=20, cache_read=30, cache_write=40)
    assert answer.body["id"] == "msg_1"
    assert server.requests == [REQUEST]


def test_usage_without_cached_tokens_counts_none() -> None:
    usage = {"input_tokens": 10, "output_tokens": 20, "cache_read_input_tokens": None}
    with answering(message(usage=usage)) as server:
        assert send(server.url).usage == Usage(input=10, output=20)


def test_the_models_thinking_is_not_part_of_its_text() -> None:
    blocks = [
        {"type": "thinking", "thinking": "They want a greeting.", "signature": "x"},
        {"type": "text", "text": "Hel"},
        {"type": "a_kind_of_next_year", "text": "Not said aloud."},
        {"type": "text", "text": "lo."},
    ]
    with answering(message(content=blocks)) as server:
        assert send(server.url).text == "Hello."


def test_what_postgresql_cannot_store_is_taken_out_of_the_logged_body() -> None:
    with answering(message(content=[{"type": "text", "text": "a\x00b\ud800c"}])) as server:
        answer = send(server.url)
    assert answer.body["content"][0]["text"] == "ab�c"
    json.dumps(answer.body, ensure_ascii=False).encode()


def test_a_reply_cut_off_at_the_token_limit_says_what_to_raise_and_keeps_what_was_paid_for() -> None:
    with answering(message(stop_reason="max_tokens")) as server:
        problem = failure(server.url)
    assert isinstance(problem, errors.ReplyCutOff)
    assert "ANTHROPIC_MAX_TOKENS" in str(problem)
    assert problem.request_id == REQUEST_ID
    assert problem.answer is not None
    assert problem.answer.usage == Usage(input=1_000, output=100)


def test_a_refusal_names_its_category_and_keeps_what_was_paid_for() -> None:
    details = {"type": "refusal", "category": "frontier_llm", "explanation": "No."}
    with answering(message(content=[], stop_reason="refusal", stop_details=details)) as server:
        problem = failure(server.url)
    assert isinstance(problem, errors.ReplyRefused)
    assert str(problem).endswith("choose another topic. Its reason: frontier_llm.")
    assert problem.request_id == REQUEST_ID
    assert problem.answer is not None


@pytest.mark.parametrize("details", [None, {"type": "refusal", "category": None}])
def test_a_refusal_without_a_category_invents_none(details: object) -> None:
    with answering(message(content=[], stop_reason="refusal", stop_details=details)) as server:
        assert "reason" not in str(failure(server.url))


def test_sampling_travels_under_the_api_version_that_takes_it() -> None:
    with answering(message()) as server:
        send(server.url, request={**REQUEST, "model": "claude-sonnet-4-6", "temperature": 0.7})
        send(server.url)
    [older, present] = server.requests
    assert (older["temperature"], older["model"]) == (0.7, "claude-sonnet-4-6")
    assert "temperature" not in present
    versions = [headers["anthropic-version"] for headers in server.headers]
    assert versions == ["2023-06-01", "2026-10-21"]


def test_tokens_are_counted_without_what_only_an_answer_needs() -> None:
    async def count(url: str) -> int:
        async with Claude(Endpoint(url, "test-key", 50), timeout=5) as claude:
            return await claude.count_tokens({**REQUEST, "temperature": 0.7})

    with answering(Raw(200, b'{"input_tokens": 42}')) as server:
        assert asyncio.run(count(server.url)) == 42
    assert server.requests == [{"model": REQUEST["model"], "messages": REQUEST["messages"]}]


def test_counting_fails_with_our_errors_too() -> None:
    async def count(url: str) -> int:
        async with Claude(Endpoint(url, "test-key", 50), timeout=5) as claude:
            return await claude.count_tokens(REQUEST)

    with answering(error(401, "authentication_error", "bad key")) as server, pytest.raises(errors.KeyRefused):
        asyncio.run(count(server.url))
    with answering(Raw(200, b"<html>")) as server, pytest.raises(errors.ReplyMalformed):
        asyncio.run(count(server.url))


def test_a_proxy_of_the_environment_is_not_asked_for_this_machines_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with answering(message()) as server:
        assert send(server.url).text == "Hello."


# --- Every error that the SDK has ------------------------------------------------------------------------

SDK_ERRORS = sorted(
    {
        kind
        for _name, kind in inspect.getmembers(anthropic, inspect.isclass)
        if issubclass(kind, anthropic.AnthropicError)
    },
    key=lambda kind: kind.__name__,
)


# What each becomes. A class that a new SDK brings needs a line here, and so a decision.
BECOMES = {
    "APIConnectionError": "unreachable",
    "APIError": "server_failed",
    "APIResponseValidationError": "reply_malformed",
    "APIStatusError": "server_failed",
    "APITimeoutError": "timed_out",
    "APIWebhookValidationError": "server_failed",
    "AnthropicError": "configuration_invalid",
    "AuthenticationError": "key_refused",
    "BadRequestError": "request_refused",
    "CMEKContextUnavailableError": "server_failed",
    "CMEKKeyDisabledError": "access_denied",
    "CMEKKeyNetworkBlockedError": "access_denied",
    "CMEKKeyUnreachableError": "server_failed",
    "ClaudeCodeKeyCreatorNotMemberError": "request_refused",
    "ClaudeCodeVersionTooOldError": "request_refused",
    "ClientClosedRequestError": "request_refused",
    "ConflictError": "server_failed",
    "ContentTooLargeError": "request_too_large",
    "ContractSpendLimitReachedError": "spend_limit_reached",
    "CredentialsError": "key_refused",
    "EnforcedSpendLimitReachedError": "spend_limit_reached",
    "GatewayTimeoutError": "server_failed",
    "HTTPNotImplementedError": "server_failed",
    "IdentityTokenFileError": "key_refused",
    "InternalServerError": "server_failed",
    "LinkedOrganizationBillingUnavailableError": "payment_required",
    "LinkedOrganizationSpendLimitReachedError": "spend_limit_reached",
    "NotFoundError": "model_unknown",
    "OrganizationOnHoldError": "access_denied",
    "OrganizationTypeNotSupportedError": "access_denied",
    "OverloadedError": "overloaded",
    "ParentOrganizationRequiredError": "access_denied",
    "PaymentRequiredError": "payment_required",
    "PermissionDeniedError": "access_denied",
    "PreconditionFailedError": "request_refused",
    "RampLimitExceededError": "rate_limited",
    "RateLimitError": "rate_limited",
    "RequestBodyEncodingInvalidError": "request_refused",
    "RequestBodyEncodingUnsupportedError": "request_refused",
    "RequestBodyTooLargeAfterDecodingError": "request_too_large",
    "RequestHeaderFieldsTooLargeError": "request_refused",
    "RequestTimeoutError": "server_failed",
    "RetryableError": "server_failed",
    "SandboxEgressRestrictedError": "access_denied",
    "ServiceUnavailableError": "server_failed",
    "UnprocessableEntityError": "request_refused",
    "WorkloadIdentityError": "key_refused",
}


CODES = {kind: code for (_status, code), kind in ERROR_CLASSES.items()}


def _made(kind: type[anthropic.AnthropicError]) -> anthropic.AnthropicError:
    """One such error, as the SDK would make it."""
    request = httpx2.Request("POST", "http://127.0.0.1/v1/messages")
    if issubclass(kind, anthropic.APIStatusError):
        status = getattr(kind, "status_code", 500)
        response = httpx2.Response(status, request=request, headers={"request-id": REQUEST_ID})
        told = {"type": "x", "message": "oops", "details": {"error_code": CODES.get(kind)}}
        return kind("oops", response=response, body={"error": told})
    if issubclass(kind, anthropic.APIResponseValidationError):
        return kind(httpx2.Response(200, request=request), None)
    if issubclass(kind, anthropic.APIConnectionError):
        return kind(request=request)
    if issubclass(kind, anthropic.APIError):
        return kind("oops", request, body=None)
    return kind("oops")


@pytest.mark.parametrize("kind", SDK_ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_of_the_installed_sdk_becomes_the_one_that_was_decided(
    kind: type[anthropic.AnthropicError],
) -> None:
    problem = translated(_made(kind))
    assert problem.code() == BECOMES[kind.__name__]
    assert str(problem)


def test_no_decision_is_left_of_an_error_that_the_sdk_has_no_more() -> None:
    assert {kind.__name__ for kind in SDK_ERRORS} == set(BECOMES)


def test_a_client_that_cannot_be_used_is_a_matter_of_the_set_up_and_not_tried_again() -> None:
    problem = translated(anthropic.AnthropicError("Install anthropic[vertex]."))
    assert isinstance(problem, errors.FixConfiguration)
    assert "Install anthropic[vertex]." in str(problem)


def test_the_list_of_the_sdks_errors_is_not_empty_by_mistake() -> None:
    names = {kind.__name__ for kind in SDK_ERRORS}
    assert {"RateLimitError", "OverloadedError", "APITimeoutError", "CredentialsError"} <= names


def test_a_subclass_is_told_like_its_parent() -> None:
    assert isinstance(translated(_made(anthropic.APITimeoutError)), errors.TimedOut)
    assert isinstance(translated(_made(anthropic.APIConnectionError)), errors.Unreachable)
    assert isinstance(translated(_made(anthropic.CredentialsError)), errors.KeyRefused)
    assert isinstance(translated(_made(anthropic.APIResponseValidationError)), errors.ReplyMalformed)


def test_the_sdk_is_not_imported_before_it_is_needed() -> None:
    program = "import django; django.setup(); import generation.service, sys; print('anthropic' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=settings.BASE_DIR,
        env={"DJANGO_SETTINGS_MODULE": "convgen.settings", "CONVGEN_VAR_DIR": str(settings.VAR_DIR), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "False", done.stderr

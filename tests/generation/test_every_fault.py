"""Every way in which Claude can fail, through the whole product over real HTTP.

What becomes of the conversation, how many requests reach the server (counted there), what is logged, and what the
curator reads.
"""

from typing import Any, NamedTuple

import pytest

from conversations.models import Conversation
from generation.errors import GenerationError
from generation.models import GenerationLog
from generation.service import generate
from generation.simulated.faults import FAULTS
from generation.simulated.server import SimulatedClaude
from tests.factories import ConversationFactory

pytestmark = pytest.mark.django_db(transaction=True)

ATTEMPTS = 3


class Case(NamedTuple):
    fault: str
    code: str  # the error's; empty when it ends well
    requests: int
    words: str  # that the curator reads
    paid: bool = False  # whether the reply that cannot be used has cost something


CASES = [
    Case("400", "request_refused", 1, "Shorten or change the template. It said: The request is not valid."),
    Case("401", "key_refused", 1, "Set a valid ANTHROPIC_API_KEY."),
    Case("402", "payment_required", 1, "Check your account's billing, then go on."),
    Case("403", "access_denied", 1, "Check what your Anthropic account permits."),
    Case("404", "model_unknown", 1, "Check the model where it is set (batch, template, workspace or"),
    Case("408", "server_failed", ATTEMPTS, "Claude's server failed. Try again in a while."),
    Case("409", "server_failed", ATTEMPTS, "Claude's server failed. Try again in a while."),
    Case("413", "request_too_large", 1, "Shorten the source, the example or the template."),
    Case("422", "request_refused", 1, "Shorten or change the template."),
    Case("429:0.01", "rate_limited", ATTEMPTS, "Try again in a while, or lower RATE_LIMIT_RPM."),
    Case("429-without-retry-after", "rate_limited", ATTEMPTS, "faster than your account allows"),
    Case("spend-limit", "spend_limit_reached", 1, "Raise it in the Console, then go on."),
    Case("on-hold", "access_denied", 1, "Check what your Anthropic account permits."),
    Case("500", "server_failed", ATTEMPTS, "Claude's server failed. Try again in a while."),
    Case("502", "server_failed", ATTEMPTS, "Claude's server failed. Try again in a while."),
    Case("503", "server_failed", ATTEMPTS, "Claude's server failed. Try again in a while."),
    Case("504", "server_failed", ATTEMPTS, "Claude's server failed. Try again in a while."),
    Case("529", "overloaded", ATTEMPTS, "Claude is overloaded. Try again in a while."),
    Case("malformed", "reply_malformed", ATTEMPTS, "Claude's reply holds no JSON object", paid=True),
    Case("wrong-schema", "reply_malformed", ATTEMPTS, "holds no JSON object", paid=True),
    Case("no-text", "reply_malformed", ATTEMPTS, "Claude's reply holds no JSON object", paid=True),
    Case(
        "cut-off",
        "reply_cut_off",
        ATTEMPTS,
        "Raise max tokens where it is set (batch, template, workspace or",
        paid=True,
    ),
    Case("refusal", "reply_refused", 1, "choose another topic. Its reason: frontier_llm.", paid=True),
    Case("not-json", "reply_malformed", ATTEMPTS, "sent something that is not JSON. Try again."),
    Case("short-body", "unreachable", ATTEMPTS, "Check the network and ANTHROPIC_BASE_URL, then try again."),
    Case("reset", "unreachable", ATTEMPTS, "Check the network and ANTHROPIC_BASE_URL, then try again."),
    Case("hang", "timed_out", ATTEMPTS, "Try again, or raise the timeout: that of the batch, or ANTHROPIC_TIMEOUT."),
    Case(
        "unanswered", "timed_out", ATTEMPTS, "Try again, or raise the timeout: that of the batch, or ANTHROPIC_TIMEOUT."
    ),
    Case("thinking-first", "", 1, ""),
    Case("slow:0.1", "", 1, ""),
]
FAILING = [case for case in CASES if case.code]
RETRIED = [case for case in FAILING if case.requests == ATTEMPTS]


def name(case: Case) -> str:
    return case.fault


@pytest.fixture
def draft(settings: Any) -> Conversation:
    settings.ANTHROPIC_TIMEOUT = 0.5
    settings.GENERATION_ATTEMPTS = ATTEMPTS
    return ConversationFactory()


def test_no_fault_that_simulated_claude_knows_is_left_out() -> None:
    assert {case.fault.partition(":")[0] for case in CASES} == set(FAULTS)


@pytest.mark.parametrize("case", FAILING, ids=name)
def test_a_fault_that_stays(claude: SimulatedClaude, draft: Conversation, case: Case) -> None:
    claude.when("", case.fault, times=None)
    with pytest.raises(GenerationError) as raised:
        generate(draft.pk)
    draft.refresh_from_db()
    assert (raised.value.code(), draft.status, draft.failure_type) == (case.code, "failed", case.code)
    assert case.words in draft.failure_message == str(raised.value)
    assert (draft.turn_count, draft.turns.count(), draft.claim) == (0, 0, None)

    assert len(claude.arrivals.of("messages")) == case.requests
    logs = list(GenerationLog.objects.order_by("attempt"))
    assert [log.attempt for log in logs] == list(range(1, case.requests + 1))
    assert {(log.status, log.error_type) for log in logs} == {("failed", case.code)}
    assert logs[-1].error_message == draft.failure_message
    assert draft.cost_usd == sum(log.cost_usd for log in logs)
    assert (draft.cost_usd > 0) is case.paid


@pytest.mark.parametrize("case", RETRIED, ids=name)
def test_a_fault_that_passes(claude: SimulatedClaude, draft: Conversation, case: Case) -> None:
    claude.when("", case.fault)
    made = generate(draft.pk)
    assert made.status == "generated" and made.failure_message == ""
    assert len(claude.arrivals.of("messages")) == 2
    first, second = GenerationLog.objects.order_by("attempt")
    assert (first.status, first.error_type, second.status) == ("failed", case.code, "succeeded")
    assert made.cost_usd == first.cost_usd + second.cost_usd
    assert (first.cost_usd > 0) is case.paid


@pytest.mark.parametrize("case", [case for case in CASES if not case.code], ids=name)
def test_what_only_looks_like_one(claude: SimulatedClaude, draft: Conversation, case: Case) -> None:
    claude.when("", case.fault)
    made = generate(draft.pk)
    assert (made.status, made.failure_message) == ("generated", "")
    assert len(claude.arrivals.of("messages")) == case.requests == GenerationLog.objects.count()


def test_a_server_that_is_not_there(draft: Conversation, settings: Any) -> None:
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = "test-key", "http://127.0.0.1:9"
    with pytest.raises(GenerationError) as raised:
        generate(draft.pk)
    assert raised.value.code() == "unreachable"
    assert list(GenerationLog.objects.values_list("error_type", flat=True)) == ["unreachable"] * ATTEMPTS

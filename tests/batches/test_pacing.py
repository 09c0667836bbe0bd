"""How long a live batch takes."""

from typing import Any

import pytest

from batches.pacing import Limits, Load, limits_in_force, seconds_for
from generation.endpoint import named_endpoint
from generation.limits import WINDOW
from generation.models import RateState


def seconds(load: Load, *, concurrency: int = 10, **limits: int | None) -> float:
    return seconds_for(load, concurrency=concurrency, limits=Limits(**limits))


HUNDRED = Load(requests=100, input_tokens=200_000, output_tokens=150_000, work=2_000)  # of 20 seconds each


def test_its_calls_in_flight_share_the_work_and_the_last_ones_are_not_all_in_use() -> None:
    assert seconds(HUNDRED) == pytest.approx(200 + 9)
    assert seconds(HUNDRED, concurrency=1) == 2_000


def test_one_call_takes_its_time_however_many_could_be_in_flight() -> None:
    assert seconds(Load(1, 1, 1, work=20), concurrency=50) == 20


@pytest.mark.parametrize(
    "limits", [{"requests": 50}, {"input_tokens": 100_000}, {"output_tokens": 75_000}], ids=lambda limits: str(limits)
)
def test_what_exceeds_a_limit_waits_for_the_next_window(limits: dict[str, int]) -> None:
    assert seconds(HUNDRED, concurrency=100, **limits) == WINDOW + 20


def test_the_slower_of_both_counts() -> None:
    assert seconds(HUNDRED, concurrency=5, requests=50) == pytest.approx(400 + 8)


def test_nothing_takes_no_time() -> None:
    assert seconds(Load(0, 0, 0, 0)) == 0


@pytest.mark.django_db
def test_the_limits_are_the_settings_and_lower_where_claude_has_said_so(settings: Any) -> None:
    settings.ANTHROPIC_API_KEY, settings.RATE_LIMIT_RPM, settings.RATE_LIMIT_OUTPUT_TPM = "a-key", 50, 8_000
    assert limits_in_force() == Limits(50, None, 8_000)
    said = {"reported_requests": 20, "reported_input": 30_000, "reported_output": 90_000}
    RateState.objects.create(key=named_endpoint().limit_key, address="claude", configured_requests=50, **said)
    assert limits_in_force() == Limits(20, 30_000, 8_000)

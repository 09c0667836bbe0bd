"""System checks of `batches/`: times that do not fit into each other, and batches that take every worker."""

from typing import Any

import pytest
from django.core.checks import run_checks

from batches.checks import check_bounds, check_times, check_workers


def test_the_defaults_are_without_fault() -> None:
    assert [message for message in run_checks() if str(message.id).startswith("batches.")] == []


@pytest.mark.parametrize(("seconds", "fits"), [(149.0, True), (150.0, False), (200.0, False)])
def test_a_slice_and_one_request_must_fit_into_a_task(settings: Any, seconds: float, fits: bool) -> None:
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "timeout": 300, "retry": 900}
    settings.ANTHROPIC_TIMEOUT = 150.0
    settings.BATCH_SLICE_SECONDS = seconds
    errors = check_times()
    assert not errors if fits else [error.id for error in errors] == ["batches.E001"]
    if not fits:
        assert "below 300 seconds" in str(errors[0].hint)
        assert errors[0] in run_checks()


@pytest.mark.parametrize(("retry", "fits"), [(301, True), (300, False), (60, False)])
def test_a_task_must_end_before_it_is_delivered_again(settings: Any, retry: int, fits: bool) -> None:
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "timeout": 300, "retry": retry}
    errors = check_times()
    assert not errors if fits else [error.id for error in errors] == ["batches.E001"]
    if not fits:
        assert "retry" in str(errors[0].hint)


@pytest.mark.parametrize(
    ("setting", "refused", "allowed"),
    [
        ("MAX_RUNNING_BATCHES", [0, -1], [1]),
        ("MAX_BATCH_CONCURRENCY", [0], [1, 200]),
        ("BATCH_SLICE_SECONDS", [0], [1]),
        ("BATCH_LEASE_SECONDS", [0, 4.9], [5, 60]),
        ("BATCH_ITEM_CLAIMS", [0], [1]),
        ("ECONOMY_CHUNK_REQUESTS", [0, 100_001], [1, 100_000]),
        ("ECONOMY_POLL_SECONDS", [0, 86_401], [0.1, 60]),
    ],
)
def test_a_number_that_cannot_work_is_refused(
    settings: Any, setting: str, refused: list[float], allowed: list[float]
) -> None:
    for value in refused:
        setattr(settings, setting, value)
        (error,) = check_bounds()
        assert error.id == "batches.E002"
        assert f"Set {setting} to" in str(error.hint)
        assert error in run_checks()
    for value in allowed:
        setattr(settings, setting, value)
        assert check_bounds() == []


@pytest.mark.parametrize(("workers", "warned"), [(2, True), (3, True), (4, False)])
def test_one_worker_must_be_left_for_scheduled_tasks(settings: Any, workers: int, warned: bool) -> None:
    settings.MAX_RUNNING_BATCHES = 3
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "workers": workers}
    assert [message.id for message in check_workers()] == (["batches.W001"] if warned else [])
    if warned:
        assert "Set WORKER_PROCESSES to 4 or more" in str(check_workers()[0].hint)

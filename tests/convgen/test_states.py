"""What the tables of transitions list is what the database allows: every pair is tried."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Model, TextChoices
from django.utils import timezone

from batches.choices import ENDED, ItemStatus, JobStatus
from batches.transitions import ITEM, JOB
from conversations.choices import Status
from conversations.transitions import CONVERSATION
from convgen.states import StateMachine
from tests.factories import BatchItemFactory, BatchJobFactory, ConversationFactory


def _conversation(status: str) -> Model:
    row: Model = ConversationFactory(status=status, **_claim(status))
    return row


def _claim(status: str) -> dict[str, Any]:
    """Only what is being generated has a claim, and must have one."""
    held = status == Status.GENERATING
    return {
        "claim": uuid4() if held else None,
        "claim_expires_at": timezone.now() + timedelta(hours=1) if held else None,
    }


def _nothing(_status: str) -> dict[str, Any]:
    return {}


MACHINES: list[tuple[StateMachine[Any], type[TextChoices], Callable[[str], Model], Callable[[str], dict[str, Any]]]] = [
    (CONVERSATION, Status, _conversation, _claim),
    (JOB, JobStatus, lambda status: BatchJobFactory(status=status), _nothing),
    (ITEM, ItemStatus, lambda status: BatchItemFactory(status=status), _nothing),
]
MOVES = [
    pytest.param(machine, make, beside, before, after, id=f"{machine.name}: {before} to {after}")
    for machine, statuses, make, beside in MACHINES
    for before, after in product(statuses, statuses)
]


@pytest.mark.django_db
@pytest.mark.parametrize(("machine", "make", "beside", "before", "after"), MOVES)
def test_the_database_allows_what_the_table_lists_and_nothing_else(
    machine: StateMachine[Any], make: Any, beside: Any, before: TextChoices, after: TextChoices
) -> None:
    row = make(before.value)
    move = type(row)._default_manager.filter(pk=row.pk).update
    if before == after or after in machine.may_become[before]:
        assert move(status=after.value, **beside(after.value)) == 1
    else:
        refusal = f"A {machine.name} that is {before} cannot become {after}"
        with pytest.raises(IntegrityError, match=refusal), transaction.atomic():
            move(status=after.value, **beside(after.value))


@pytest.mark.parametrize(
    ("machine", "statuses"), [row[:2] for row in MACHINES], ids=lambda value: getattr(value, "name", "")
)
def test_every_status_has_its_place_in_the_table(machine: StateMachine[Any], statuses: type[TextChoices]) -> None:
    assert set(machine.may_become) == set(statuses)


def test_what_may_come_before_is_read_from_the_same_table() -> None:
    assert CONVERSATION.before(Status.GENERATING) == (Status.DRAFT, Status.FAILED)
    assert JOB.before(JobStatus.PAUSED) == (JobStatus.PROCESSING,)


def test_a_job_that_has_ended_stays_as_it_is() -> None:
    assert JOB.ends == ENDED


def test_a_diagram_shows_the_start_every_move_and_the_ends() -> None:
    diagram = JOB.diagram().splitlines()
    assert diagram[:3] == ["stateDiagram-v2", "    [*] --> queued", "    queued --> processing"]
    assert "    processing --> paused" in diagram
    assert diagram[-1] == "    cancelled --> [*]"

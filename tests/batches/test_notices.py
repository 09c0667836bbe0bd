"""E-mails to whoever started a batch: once it has ended, or cannot go on by itself."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django_q.models import OrmQ

from batches import control, notices, tasks
from batches.models import BatchJob
from convgen.models import User
from generation.simulated.server import SimulatedClaude
from tests.factories import BatchItemFactory, BatchJobFactory, UserFactory

Make = Callable[..., BatchJob]
Run = Callable[..., list[UUID]]


@pytest.fixture(autouse=True)
def _configured(settings: Any) -> None:
    settings.EMAIL_URL = "memorymail://"
    settings.SITE_URL = "https://convgen.example.com"


@pytest.fixture
def mona(db: None) -> User:
    return UserFactory(username="mona", email="mona@example.com")


def ordered() -> list[str]:
    """The ids of the jobs whose starters are to be told."""
    return [queued.args()[0] for queued in OrmQ.objects.all() if queued.func() == notices.SEND]


@pytest.mark.django_db
def test_a_mail_tells_how_it_ended_what_failed_and_where_to_look(mona: User) -> None:
    job = BatchJobFactory(name="Ninety & more", status="completed", created_by=mona)
    BatchItemFactory(job=job, status="completed", cost_usd="0.25")
    BatchItemFactory(job=job, status="failed", error_message="Claude is overloaded.")
    tasks.tell_starter(str(job.pk), "completed")
    [sent] = mail.outbox
    assert (sent.to, sent.subject) == (["mona@example.com"], "Ninety & more: completed, 1 of 2 succeeded")
    for told in ("“Ninety & more” has ended: completed.", "1 succeeded, 1 failed, of 2, for $0.2500.", "overloaded"):
        assert told in sent.body
    assert f"https://convgen.example.com/admin/batches/batchjob/{job.pk}/change/" in sent.body


@pytest.mark.django_db
def test_a_batch_that_paused_itself_says_why(mona: User) -> None:
    job = BatchJobFactory(status="paused", status_reason="The API key is refused.", created_by=mona)
    assert notices.send(job)
    assert "has paused and waits for you" in mail.outbox[0].body
    assert "The API key is refused." in mail.outbox[0].body


@pytest.mark.django_db
def test_without_an_address_of_the_site_there_is_no_link(mona: User, settings: Any) -> None:
    settings.SITE_URL = ""
    assert notices.send(BatchJobFactory(status="failed", created_by=mona))
    assert "admin/" not in mail.outbox[0].body


@pytest.mark.django_db
@pytest.mark.parametrize("person", [None, {"email": ""}, {"email": "left@example.com", "is_active": False}])
def test_nobody_is_written_to_who_cannot_be(person: dict[str, Any] | None) -> None:
    job = BatchJobFactory(status="completed", created_by=person and UserFactory(**person))
    assert not notices.send(job)
    assert mail.outbox == []


@pytest.mark.django_db
def test_a_pause_that_is_over_is_not_told_of(mona: User) -> None:
    job = BatchJobFactory(status="processing", created_by=mona)
    tasks.tell_starter(str(job.pk), "paused")
    assert mail.outbox == []


@pytest.mark.django_db(transaction=True)
def test_a_pause_that_was_over_before_its_mail_was_written_makes_no_second_mail_of_the_end(
    claude: SimulatedClaude, batch: Make, run: Run, mona: User
) -> None:
    job = batch(1, created_by=mona)
    control.suspend(job.pk, "The API key is refused.")
    control.resume(job.pk)
    run(job)
    assert ordered() == [str(job.pk)] * 2
    for queued in OrmQ.objects.all():
        if queued.func() == notices.SEND:
            tasks.tell_starter(*queued.args())
    assert [sent.subject.split(": ", 1)[1] for sent in mail.outbox] == ["completed, 1 of 1 succeeded"]


@pytest.mark.django_db
def test_a_deleted_batch_is_passed_over(mona: User) -> None:
    job = BatchJobFactory(status="completed", created_by=mona)
    deleted = str(job.pk)
    job.delete()
    tasks.tell_starter(deleted, "completed")
    assert mail.outbox == []


@pytest.mark.django_db(transaction=True)
def test_the_end_of_a_batch_orders_one_mail(claude: SimulatedClaude, batch: Make, run: Run, mona: User) -> None:
    job = batch(2, created_by=mona)
    run(job)
    assert ordered() == [str(job.pk)]


@pytest.mark.django_db(transaction=True)
def test_a_stop_at_the_first_failure_and_a_refused_key_order_one_each(
    claude: SimulatedClaude, batch: Make, run: Run
) -> None:
    claude.behaviour.script.extend(["refusal"])
    stopped = batch(3, concurrency=1, error_handling="stop")
    run(stopped)
    assert ordered() == [str(stopped.pk)]
    claude.behaviour.api_key = "another"
    paused = batch(1, concurrency=1)
    run(paused)
    assert ordered() == [str(stopped.pk), str(paused.pk)]


@pytest.mark.django_db
@pytest.mark.parametrize("act", [control.pause, control.cancel])
def test_what_a_person_did_is_not_told_to_her(act: Callable[[UUID], bool]) -> None:
    assert act(BatchJobFactory(status="processing").pk)
    assert ordered() == []


@pytest.mark.django_db
def test_without_a_mail_server_nothing_is_ordered(settings: Any) -> None:
    settings.EMAIL_URL = ""
    assert control.suspend(BatchJobFactory(status="processing").pk, "The key is refused.")
    assert ordered() == []

"""Batches of small drafts, and a way to run them in the test's own process."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from batches import engine
from batches.choices import JobStatus
from batches.models import BatchJob
from batches.planning import Order, create
from conversations.models import Workspace
from tests.factories import ConversationFactory, PromptTemplateFactory, WorkspaceFactory

Make = Callable[..., BatchJob]


@pytest.fixture
def workspace(transactional_db: None) -> Workspace:
    return WorkspaceFactory()


@pytest.fixture
def batch(workspace: Workspace) -> Make:
    """Make a batch of `size` drafts of one template, begun and left to the test to run."""

    def make(size: int = 3, *, structure: str = "Talk with {{persona}}.", **order: Any) -> BatchJob:
        template = PromptTemplateFactory(workspace=workspace, structure=structure)
        ConversationFactory.create_batch(size, workspace=workspace, template=template)
        job = create(Order(workspace=workspace, selection="drafts", **order), inline=True)
        assert job is not None
        return job

    return make


@pytest.fixture
def run() -> Callable[..., list[UUID]]:
    """Run a job's slices until it is no longer processing; the answer is the hand-overs that they made."""

    def until_rest(job: BatchJob, **options: Any) -> list[UUID]:
        handed: list[UUID] = []
        while BatchJob.objects.filter(pk=job.pk, status=JobStatus.PROCESSING).exists():
            engine.run_slice(job.pk, on_unfinished=handed.append, **options)
        job.refresh_from_db()
        return handed

    return until_rest

"""The question before something is deleted, and the history of what nobody has changed."""

import pytest
from django.test import Client

from batches.models import BatchJob
from conversations.models import Dimension, Workspace
from tests.admin_pages import list_of, page_of
from tests.factories import BatchJobFactory, DimensionFactory

pytestmark = pytest.mark.django_db


def test_deleting_asks_by_name_and_then_does_it(lead: Client, workspace: Workspace) -> None:
    row = DimensionFactory(workspace=workspace, name="Night nurse")
    page = lead.get(page_of(row, "delete")).content.decode()
    assert f"<h1>Delete “{row}”?</h1>" in page and "This cannot be undone." in page
    assert f'href="{page_of(row)}"' in page  # a way back that needs no script
    lead.post(page_of(row, "delete"), {"post": "yes"})
    assert not Dimension.objects.filter(pk=row.pk).exists()


def test_what_is_at_work_is_not_deleted(lead: Client, workspace: Workspace) -> None:
    jobs = [BatchJobFactory(workspace=workspace, status=status) for status in ("processing", "completed")]
    chosen = {"action": "delete_selected", "_selected_action": [job.pk for job in jobs]}
    page = lead.post(list_of(BatchJob), chosen).content.decode()
    assert "cannot be deleted</h1>" in page and f"{jobs[0]} (processing)" in page
    lead.post(list_of(BatchJob), {**chosen, "post": "yes"})
    assert BatchJob.objects.count() == 2


@pytest.mark.parametrize("number", [1, 2])
def test_deleting_many_counts_them(lead: Client, workspace: Workspace, number: int) -> None:
    rows = [DimensionFactory(workspace=workspace) for _ in range(number)]
    chosen = {"action": "delete_selected", "_selected_action": [row.pk for row in rows]}
    page = lead.post(list_of(Dimension), chosen).content.decode()
    assert f"<h1>Delete {number} dimension{'s' if number > 1 else ''}?</h1>" in page
    assert all(str(row) in page for row in rows)
    lead.post(list_of(Dimension), {**chosen, "post": "yes"})
    assert not Dimension.objects.filter(workspace=workspace).exists()


def test_a_history_without_an_entry_says_so(lead: Client, workspace: Workspace) -> None:
    row = DimensionFactory(workspace=workspace)
    assert "Nobody has changed this by hand yet" in lead.get(page_of(row, "history")).content.decode()

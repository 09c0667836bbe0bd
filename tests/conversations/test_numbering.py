"""Readable ids: each is given out once, whoever asks at the same moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction

from conversations.choices import Tier
from conversations.numbering import next_ids
from convgen.tenancy import workspace_scope
from tests.factories import WorkspaceFactory


@pytest.mark.django_db
def test_each_tier_counts_for_itself() -> None:
    workspace = WorkspaceFactory()
    assert next_ids(workspace.pk, Tier.TEMPLATE, 2) == ["TPL-0001", "TPL-0002"]
    assert next_ids(workspace.pk, Tier.SCENARIO, 1) == ["SCN-0001"]
    assert next_ids(workspace.pk, Tier.EDGE_CASE, 1) == ["EDG-0001"]
    assert next_ids(workspace.pk, Tier.TEMPLATE, 1) == ["TPL-0003"]


@pytest.mark.django_db
def test_each_workspace_counts_for_itself() -> None:
    next_ids(WorkspaceFactory().pk, Tier.TEMPLATE, 5)
    assert next_ids(WorkspaceFactory().pk, Tier.TEMPLATE, 1) == ["TPL-0001"]


@pytest.mark.django_db
def test_numbers_grow_beyond_four_digits() -> None:
    workspace = WorkspaceFactory()
    next_ids(workspace.pk, Tier.TEMPLATE, 9_999)
    assert next_ids(workspace.pk, Tier.TEMPLATE, 1) == ["TPL-10000"]


@pytest.mark.django_db
def test_none_are_given_to_somebody_who_asks_for_none() -> None:
    workspace = WorkspaceFactory()
    assert next_ids(workspace.pk, Tier.TEMPLATE, 0) == []
    assert next_ids(workspace.pk, Tier.TEMPLATE, 1) == ["TPL-0001"]


@pytest.mark.django_db
def test_another_tier_has_no_numbers() -> None:
    with pytest.raises(IntegrityError, match="conversation_number_tier_known"), transaction.atomic():
        next_ids(WorkspaceFactory().pk, "legendary", 1)


@pytest.mark.django_db(transaction=True)
def test_threads_that_ask_at_once_never_get_the_same_number() -> None:
    workspace = WorkspaceFactory()

    @workspace_scope(workspace.pk)
    def ask(number: int) -> list[str]:
        try:
            taken: list[str] = []
            for _ in range(10):
                with transaction.atomic():  # held while the others ask
                    taken += next_ids(workspace.pk, Tier.SCENARIO, 1 + number % 3)
            return taken
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        given = [readable for taken in pool.map(ask, range(6)) for readable in taken]
    assert sorted(given) == [f"SCN-{number:04d}" for number in range(1, 121)]

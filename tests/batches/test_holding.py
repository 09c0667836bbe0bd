"""A conversation that a batch has not done with stays."""

import pytest

from batches.choices import ItemStatus
from batches.holding import waits_in_a_batch
from conversations.holds import why_it_stays
from tests.factories import BatchItemFactory, ConversationFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("status", "stays"),
    [
        (ItemStatus.QUEUED, True),
        (ItemStatus.PROCESSING, True),
        (ItemStatus.COMPLETED, False),
        (ItemStatus.FAILED, False),
        (ItemStatus.CANCELLED, False),
    ],
)
def test_it_stays_until_its_item_has_ended(status: ItemStatus, *, stays: bool) -> None:
    item = BatchItemFactory(status=status, job__name="Night")
    sentence = "It waits in the batch “Night”: let that end, or cancel it first." if stays else ""
    assert waits_in_a_batch(item.conversation) == sentence
    assert why_it_stays(item.conversation) == sentence, "the app tells so when it starts"


def test_one_that_no_batch_has_need_not_stay() -> None:
    assert why_it_stays(ConversationFactory()) == ""

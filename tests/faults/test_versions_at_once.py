"""Several people regenerate the same few conversations, while reviewers decide on all of them."""

import random
import threading

import pytest
from django.db import connection

from conversations import versions
from conversations.models import Conversation, Workspace
from conversations.review import Decision, decide
from convgen.tenancy import EVERY, workspace_scope
from generation.errors import NotRegenerable
from generation.regeneration import regenerate
from generation.simulated.server import SimulatedClaude
from tests.background import in_background
from tests.factories import ConversationFactory, PromptTemplateFactory, UserFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db(transaction=True)

CHAINS = 4
ROUNDS = 8  # of each who regenerates
DECISIONS = [Decision.APPROVE, Decision.REJECT, Decision.REQUEST_CHANGES]


@pytest.fixture
def workspace() -> Workspace:
    workspace = WorkspaceFactory()
    template = PromptTemplateFactory(workspace=workspace)
    for number in range(CHAINS):
        written = {"status": "generated", "turn_count": 8, "slot": f"slot-{number}"}
        ConversationFactory(workspace=workspace, template=template, conversation_id=f"TPL-000{number}", **written)
    return workspace


def regenerate_some(refused: list[str]) -> None:
    with workspace_scope(EVERY):
        for _round in range(ROUNDS):
            one = random.choice(list(Conversation.objects.filter(version=1)))
            try:
                regenerate(versions.current(one).pk)
            except NotRegenerable as error:
                refused.append(str(error))


def decide_on_some(over: threading.Event) -> None:
    with workspace_scope(EVERY):
        reviewer = UserFactory()
        while not over.is_set():
            some = random.sample(list(Conversation.objects.values_list("pk", flat=True)), CHAINS)
            decide(Conversation.objects.filter(pk__in=some), decision=random.choice(DECISIONS), by=reviewer)


def deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        number: int = cursor.fetchone()[0]
        return number


def test_every_chain_keeps_one_current_version_with_its_slot_and_nobody_blocks_another(
    claude: SimulatedClaude, workspace: Workspace
) -> None:
    before, refused, over = deadlocks(), [], threading.Event()
    reviewers = [in_background(decide_on_some, over) for _reviewer in range(2)]
    curators = [in_background(regenerate_some, refused) for _curator in range(3)]
    for thread in curators:
        thread.join(timeout=120)
    over.set()
    for thread in reviewers:
        thread.join(timeout=20)
    for first in Conversation.objects.filter(version=1):
        chain = versions.chain(first)
        not_archived = [version for version in chain.versions if version.status != "archived"]
        assert not_archived == [chain.current]
        assert chain.current.slot == first.slot
        assert [version.version for version in chain.versions] == list(range(1, len(chain.versions) + 1))
    made = Conversation.objects.filter(version__gt=1).count()
    assert made + len(refused) == 3 * ROUNDS
    assert deadlocks() == before

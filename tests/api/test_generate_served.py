"""Generating by the web process as it is run: many requests that last, and clients that lose their answers."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2 as httpx
import pytest
from knox.models import AuthToken

from conversations.choices import Role
from conversations.models import Conversation, Workspace
from generation.simulated.server import SimulatedClaude
from tests.factories import ConversationFactory, MembershipFactory
from tests.processes import environment, eventually, kill_tree

pytestmark = pytest.mark.django_db(transaction=True)

GENERATE = "/api/conversations/generate/"
AT_ONCE = 12  # more than the pool has connections


@pytest.fixture
def served(workspace: Workspace, claude: SimulatedClaude) -> Iterator[httpx.Client]:
    """A curator's client of a web process on the test's database."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    membership = MembershipFactory(workspace=workspace, role=Role.CURATOR)
    headers = {"Authorization": f"Bearer {AuthToken.objects.create(membership.user)[1]}"}
    command = [sys.executable, "-m", "uvicorn", "convgen.asgi:application", "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen(command, env=environment(CONVGEN_DATABASE_POOL="true"))
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as client:
            eventually(lambda: _answers(client), seconds=30)
            yield client
    finally:
        kill_tree(process.pid)
        process.wait(timeout=10)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/api/dimensions/").status_code == 200
    except httpx.TransportError:
        return False


def test_others_are_served_while_many_wait_for_claude_and_a_lost_answer_is_found_again(
    served: httpx.Client, claude: SimulatedClaude, workspace: Workspace
) -> None:
    claude.behaviour.latency = 8.0  # seconds: within these, all of what follows is asked
    drafts = ConversationFactory.create_batch(AT_ONCE, workspace=workspace)
    lost = {"json": {"conversation": str(drafts[0])}, "headers": {"Idempotency-Key": "lost"}}

    def generate(draft: Conversation) -> int:
        if draft is not drafts[0]:
            return served.post(GENERATE, json={"conversation": str(draft)}).status_code
        with pytest.raises(httpx.ReadTimeout):
            served.post(GENERATE, **lost, timeout=1)
        return 0

    with ThreadPoolExecutor(AT_ONCE) as clients:
        answers = [clients.submit(generate, draft) for draft in drafts]
        eventually(lambda: answers[0].done() and len(claude.requests) == AT_ONCE)
        busy = served.post(GENERATE, **lost)
        assert busy.status_code == 409
        assert served.get(busy.headers["Location"]).json()["status"] == "generating"
        assert not any(answer.done() for answer in answers[1:])
    assert [answer.result() for answer in answers] == [0] + [201] * (AT_ONCE - 1)
    eventually(lambda: served.get(busy.headers["Location"]).json()["percentage"] == 100)
    found = served.post(GENERATE, **lost)
    assert (found.status_code, found.headers["Idempotent-Replayed"]) == (201, "true")
    assert found.json()["conversation"]["turns"]
    assert len(claude.requests) == AT_ONCE

"""`generate_batch --delivery economy`, with and without workers."""

import json
import signal
import subprocess
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rich.console import Console

from batches.following import follow
from batches.models import BatchJob, MessageBatch
from conversations.models import Workspace
from generation.simulated.server import SimulatedClaude
from tests.batches.economy.conftest import Make
from tests.factories import ConversationFactory, PromptTemplateFactory
from tests.processes import environment, eventually, manage

pytestmark = pytest.mark.django_db(transaction=True)
Step = Callable[..., Any]


@pytest.fixture
def drafts(workspace: Workspace) -> Workspace:
    template = PromptTemplateFactory(workspace=workspace)
    ConversationFactory.create_batch(3, workspace=workspace, template=template)
    return workspace


@pytest.fixture
def quick(claude: SimulatedClaude, settings: Any) -> None:
    claude.behaviour.batch_seconds = 0.2
    settings.ECONOMY_POLL_SECONDS = 0.2


def generate(workspace: Workspace, *arguments: str) -> dict[str, Any]:
    out = StringIO()
    options = ["--workspace", workspace.slug, "--select", "drafts", "--delivery", "economy", "--inline", "--json"]
    call_command("generate_batch", *options, *arguments, stdout=out, stderr=StringIO())
    told: dict[str, Any] = json.loads(out.getvalue())
    return told


def test_inline_sends_looks_and_collects_in_this_process(drafts: Workspace, quick: None) -> None:
    told = generate(drafts)
    assert (told["status"], told["succeeded"]) == ("completed", 3)
    assert MessageBatch.objects.get().status == "read"


def test_inline_sends_again_what_expired(drafts: Workspace, quick: None, claude: SimulatedClaude) -> None:
    claude.behaviour.batch_script.append("expired")
    assert generate(drafts)["succeeded"] == 3
    assert MessageBatch.objects.count() == 2


def test_inline_says_why_it_stopped(drafts: Workspace, quick: None, claude: SimulatedClaude) -> None:
    claude.when("", "401", endpoint="batches.create")
    with pytest.raises(CommandError, match=r"401.*batch resume"):
        generate(drafts)


def test_a_batch_that_was_stopped_is_collected_to_its_end(
    drafts: Workspace, quick: None, claude: SimulatedClaude, settings: Any
) -> None:
    settings.ECONOMY_CHUNK_REQUESTS = 1
    claude.behaviour.batch_script.append("refusal")
    with pytest.raises(CommandError, match="declined"):
        generate(drafts, "--error-handling", "stop")
    assert set(MessageBatch.objects.values_list("status", flat=True)) == {"read"}


def test_ctrl_c_pauses_and_says_who_collects(drafts: Workspace, claude: SimulatedClaude) -> None:
    options = ["--workspace", drafts.slug, "--select", "drafts", "--delivery", "economy", "--inline"]
    command = subprocess.Popen(
        manage("generate_batch", *options), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    eventually(lambda: MessageBatch.objects.filter(status="in_progress").exists(), seconds=30)
    command.send_signal(signal.SIGINT)
    out, err = command.communicate(timeout=60)
    assert command.returncode != 0
    assert "0 succeeded, 0 failed, of 3" in out
    assert "1 message batch with 3 requests is at Claude" in err
    assert "A worker collects what comes back, or batch resume --inline." in err
    assert BatchJob.objects.get().status == "paused"


def test_resume_inline_collects_what_came_back(
    economy: Make, submit: Step, claude: SimulatedClaude, settings: Any
) -> None:
    settings.ECONOMY_POLL_SECONDS = 0.2
    job = economy(2)
    submit(job)
    call_command("batch", "pause", str(job.pk), stdout=StringIO())
    claude.clock.advance(7200)
    call_command("batch", "resume", str(job.pk), "--inline", stdout=StringIO())
    job.refresh_from_db()
    assert (job.status, job.successful_items) == ("completed", 2)


def test_the_progress_says_what_is_waited_for(economy: Make, quick: None, settings: Any) -> None:
    out = StringIO()
    follow(economy(2), inline=True, console=Console(file=out, force_terminal=True, width=200))
    assert "1 message batch with 2 requests is at Claude, who answers within a day. Next look in 0 s." in out.getvalue()

"""`manage.py generate_batch`: what it prints, how it ends."""

import json
import re
import signal
import subprocess
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from batches.models import BatchJob
from conversations.models import Conversation, Workspace
from generation.simulated.server import SimulatedClaude
from tests.factories import ConversationFactory, PromptTemplateFactory, WorkspaceFactory
from tests.processes import environment, eventually, manage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def workspace(transactional_db: None) -> Workspace:
    return WorkspaceFactory(slug="practice", is_default=True)


def drafts(workspace: Workspace, number: int = 3, **template: Any) -> None:
    made = PromptTemplateFactory(workspace=workspace, **template)
    ConversationFactory.create_batch(number, workspace=workspace, template=made)


def generate(*arguments: str) -> str:
    out = StringIO()
    call_command("generate_batch", *arguments, "--inline", stdout=out, stderr=StringIO())
    return out.getvalue()


def test_it_generates_follows_and_sums_up(claude: SimulatedClaude, workspace: Workspace) -> None:
    drafts(workspace)
    said = generate()
    assert "3 succeeded, 0 failed, of 3" in said
    assert "Template" in said and "$" in said
    assert "simulated: nothing was paid" in said
    assert Conversation.objects.filter(status="generated").count() == 3


def test_a_complete_plan_says_so_and_spends_nothing(claude: SimulatedClaude, workspace: Workspace) -> None:
    assert "The plan is complete" in generate()
    assert claude.requests == []


def test_the_summary_as_json_is_one_object(claude: SimulatedClaude, workspace: Workspace) -> None:
    drafts(workspace, 2)
    said = json.loads(generate("--json"))
    assert (said["total"], said["succeeded"], said["failed"], said["status"]) == (2, 2, 0, "completed")
    [tier] = said["tiers"]
    assert tier["tier"] == "template" and 0 <= tier["average_quality"] <= 10
    assert sum(tier["quality_histogram"].values()) == 2


def test_chosen_conversations_alone(claude: SimulatedClaude, workspace: Workspace) -> None:
    drafts(workspace, 3)
    first = Conversation.objects.order_by("conversation_id").first()
    assert first is not None
    generate("--select", first.conversation_id)
    assert list(Conversation.objects.filter(status="generated")) == [first]


def test_shared_parameters_reach_the_prompt(claude: SimulatedClaude, workspace: Workspace) -> None:
    drafts(workspace, 1, structure="The city is {{city}}.")
    generate("--param", "city=Oslo")
    assert "The city is Oslo." in claude.requests[0]["messages"][0]["content"]


def test_a_failure_ends_with_an_error_that_names_the_reason(claude: SimulatedClaude, workspace: Workspace) -> None:
    drafts(workspace, 2, structure="About {{amount}}.")
    with pytest.raises(CommandError, match=r"amount \(text\).*--select failed --of-batch") as raised:
        generate()
    assert "\n" not in str(raised.value)


def test_the_way_on_that_is_told_retries_what_failed_in_that_batch_alone(
    claude: SimulatedClaude, workspace: Workspace
) -> None:
    drafts(workspace, 2, structure="About {{amount}}.")
    with pytest.raises(CommandError) as raised:
        generate()
    again = str(raised.value).partition("manage.py generate_batch ")[2].split()
    ConversationFactory(workspace=workspace, status="failed")  # of another batch
    generate(*again, "--param", "amount=100")
    assert Conversation.objects.filter(status="generated").count() == 2
    assert Conversation.objects.filter(status="failed").count() == 1


def test_the_estimate_is_told_before_it_begins(claude: SimulatedClaude, workspace: Workspace) -> None:
    drafts(workspace)
    said = generate()
    assert said.startswith("3 conversations. About $")
    assert "reckoned from lengths" in said.splitlines()[0]
    assert "Estimated $" in said and "Each that succeeded cost $" in said


# --- the plan alone


def dry_run(*arguments: str) -> str:
    out = StringIO()
    call_command("generate_batch", "--dry-run", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_a_dry_run_shows_the_plan_and_creates_nothing(workspace: Workspace) -> None:
    PromptTemplateFactory(workspace=workspace, name="Grief", tier="edge_case", target_count=2)
    drafts(workspace, 3, name="Budget")
    said = dry_run()
    assert re.search(r"Edge case +2 +– +– +2 +\$0\.\d+ +\$0\.\d+", said)
    assert re.search(r"Budget +– +3 +– +3 ", said)
    assert "Live (as ordered): about $" in said
    assert "within a day, usually within an hour" in said
    assert "Simulated: nothing will be paid." in said
    assert said.strip().endswith("Nothing was created, and nothing was spent.")
    assert (Conversation.objects.count(), BatchJob.objects.count()) == (3, 0)


def test_a_dry_run_as_json_is_one_object(workspace: Workspace) -> None:
    drafts(workspace, 2)
    said = json.loads(dry_run("--json"))
    assert (said["total"], said["tiers"][0]["drafts"], said["left_out"]) == (2, 2, 0)
    assert set(said["estimate"]["live"]["cost_usd"]) == {"low", "likely", "high"}


def test_a_dry_run_tells_what_to_think_of(settings: Any, workspace: Workspace) -> None:
    settings.BATCH_COST_WARNING_USD = 0.001
    drafts(workspace, 2)
    drafts(workspace, 1, structure="About {{amount}}.")
    said = dry_run()
    assert "Warning: It will probably cost $0.0" in said
    assert "Warning: 1 conversation would probably fail" in said and "amount (text)" in said


def test_a_dry_run_of_a_complete_plan_says_so(workspace: Workspace) -> None:
    assert "There is nothing to generate." in dry_run()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workspace", "nowhere"], "no workspace “nowhere”.*practice"),
        (["--concurrency", "0"], "between 1 and"),
        (["--select", "TPL-9999"], "no conversation TPL-9999"),
        (["--param", "oslo"], "NAME=VALUE"),
        (["--select", "failed", "--of-batch", "nonsense"], "takes the id of a batch, not nonsense"),
        (["--select", "failed", "--of-batch", str(uuid4())], "There is no batch .* See: manage.py batch status"),
        (["--of-batch", str(uuid4())], "only what failed can be generated"),
    ],
)
def test_bad_input_is_refused_in_words(
    claude: SimulatedClaude, workspace: Workspace, arguments: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        generate(*arguments)
    assert BatchJob.objects.count() == 0


def test_detached_it_prints_the_id_and_leaves_the_work_to_workers(workspace: Workspace) -> None:
    drafts(workspace)
    out = StringIO()
    call_command("generate_batch", "--detach", stdout=out)
    assert out.getvalue().strip() == str(BatchJob.objects.get().pk)


def test_an_unfinished_batch_is_gone_on_with(claude: SimulatedClaude, workspace: Workspace) -> None:
    drafts(workspace, 3)
    call_command("generate_batch", "--detach", stdout=StringIO())
    job = BatchJob.objects.get()
    BatchJob.objects.update(status="paused")
    said = generate("--continue")
    job.refresh_from_db()
    assert (job.status, BatchJob.objects.count()) == ("completed", 1)
    assert "Going on with" in said


@pytest.mark.parametrize(
    ("environment_of_it", "sentence"),
    [
        ({"ANTHROPIC_API_KEY": "wrong"}, "Set a valid ANTHROPIC_API_KEY"),
        ({"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "GENERATION_FIRST_WAIT": "0.01"}, "Claude cannot be reached"),
        ({"ANTHROPIC_MODEL": "claude-imaginary-9"}, "claude-imaginary-9"),
        ({"HTTPS_PROXY": "nonsense://proxy"}, "The batch could not be run"),
    ],
)
def test_as_a_process_it_ends_with_one_and_one_clear_line(
    claude: SimulatedClaude, workspace: Workspace, environment_of_it: dict[str, str], sentence: str
) -> None:
    claude.behaviour.api_key = "test-key"
    drafts(workspace, 6)
    done = subprocess.run(
        manage("generate_batch", "--inline", "--select", "drafts"),
        env=environment(**environment_of_it),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    errors = done.stderr.strip().splitlines()
    assert len(errors) == 1 and sentence in errors[0]
    assert "Traceback" not in done.stdout + done.stderr
    assert set(Conversation.objects.values_list("status", flat=True)) <= {"draft", "failed"}


def test_ctrl_c_pauses_keeps_what_is_in_flight_and_says_how_to_go_on(
    claude: SimulatedClaude, workspace: Workspace
) -> None:
    claude.behaviour.latency = 1.5
    drafts(workspace, 12)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background, it would be ignored, also by children
    process = subprocess.Popen(
        manage("generate_batch", "--inline", "--select", "drafts", "--concurrency", "2"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    eventually(lambda: len(claude.requests) >= 3, seconds=30)
    process.send_signal(signal.SIGINT)
    _out, errors = process.communicate(timeout=30)
    job = BatchJob.objects.get()
    assert process.returncode == 1
    assert f"manage.py batch resume {job.pk}" in errors
    assert job.status == "paused"
    assert job.successful_items == len(claude.requests) < 12

"""Regenerating: success, failures, a crash, two at once, a reviewer at the same moment; and the command."""

import json
import subprocess
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from conversations import versions
from conversations.choices import WITH_TURNS
from conversations.models import Conversation, PromptTemplate, Turn
from conversations.review import Decided, Decision, decide
from convgen.tenancy import EVERY, workspace_scope
from generation import claims
from generation.errors import GenerationError, NotRegenerable
from generation.regeneration import regenerate
from generation.service import generate
from generation.simulated.server import SimulatedClaude
from tests.background import in_background, until_locks_are_waited_for
from tests.factories import ConversationFactory, UserFactory, WorkspaceFactory
from tests.processes import environment, eventually, manage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def original(claude: SimulatedClaude) -> Conversation:
    """A generated conversation, with a place in the plan."""
    draft = ConversationFactory(
        workspace=WorkspaceFactory(is_default=True),
        conversation_id="TPL-0001",
        template__structure="The city is {{city}}.",
        parameters={"city": "Oslo"},
        slot="a-slot",
    )
    made = generate(draft.pk)
    claude.requests.clear()
    return made


def everything(conversation: Conversation) -> dict[str, Any]:
    row = Conversation.objects.filter(pk=conversation.pk).values().get()
    return {**row, "turns": list(conversation.turns.order_by("position").values())}


def present(conversation: Conversation) -> Conversation:
    return Conversation.objects.get(pk=conversation.pk)


def current_versions() -> list[str]:
    written = Conversation.objects.filter(status__in=WITH_TURNS)
    return list(written.order_by("conversation_id").values_list("conversation_id", flat=True))


# --- Success


def test_the_new_version_is_saved_and_the_original_archived(claude: SimulatedClaude, original: Conversation) -> None:
    before = everything(original)
    made = regenerate(original.pk, changes={"parameters": {"city": "Bergen"}}, by=UserFactory(username="mona"))
    assert (made.conversation_id, made.version, made.parent) == ("TPL-0001-v2", 2, original)
    assert made.status in ("generated", "pending_review")
    assert made.turn_count == made.turns.count() > 0
    assert made.slot == "a-slot"
    assert "The city is Bergen." in claude.requests[0]["messages"][0]["content"]
    after = everything(original)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"status", "review_history", "updated_at"}, "its turns and its score stay as they were"
    assert after["status"] == "archived"
    assert (after["review_history"][-1]["decision"], after["review_history"][-1]["by"]) == ("superseded", "mona")
    assert current_versions() == ["TPL-0001-v2"]


def test_the_second_version_becomes_a_third_and_then_the_middle_is_refused(original: Conversation) -> None:
    second = regenerate(original.pk)
    third = regenerate(second.pk)
    assert (third.conversation_id, third.parent, third.slot) == ("TPL-0001-v3", second, "a-slot")
    assert current_versions() == ["TPL-0001-v3"]
    for earlier in (original, second):
        with pytest.raises(NotRegenerable, match="its current version is TPL-0001-v3: regenerate that one"):
            regenerate(earlier.pk)
    assert [str(one) for one in versions.chain(original).versions] == ["TPL-0001", "TPL-0001-v2", "TPL-0001-v3"]


@pytest.mark.parametrize("decision", [Decision.ARCHIVE, Decision.REJECT, Decision.APPROVE])
def test_what_a_reviewer_has_decided_on_can_be_regenerated(original: Conversation, decision: Decision) -> None:
    decide(Conversation.objects.filter(pk=original.pk), decision=decision, by=UserFactory())
    made = regenerate(original.pk)
    assert present(original).status == "archived"
    assert (current_versions(), made.slot) == (["TPL-0001-v2"], "a-slot")


def test_one_that_is_gone_is_refused(original: Conversation) -> None:
    Conversation.objects.all().delete()
    with pytest.raises(NotRegenerable, match="deleted"):
        regenerate(original.pk)


# --- Failure


FAULTS = {
    "overloaded": ["529"] * 3,
    "server_failed": ["500"] * 3,
    "unreachable": ["reset"] * 3,
    "reply_malformed": ["malformed"] * 3,
    "reply_cut_off": ["cut-off"] * 3,
    "reply_refused": ["refusal"],
}


@pytest.mark.parametrize("failure", FAULTS)
def test_after_a_failure_the_original_is_as_it_was(
    claude: SimulatedClaude, original: Conversation, failure: str
) -> None:
    before = everything(original)
    claude.behaviour.script.extend(FAULTS[failure])
    with pytest.raises(GenerationError):
        regenerate(original.pk, changes={"emotion": "Hopeful"})
    assert everything(original) == before
    failed = Conversation.objects.get(conversation_id="TPL-0001-v2")
    assert (failed.status, failed.failure_type, failed.slot) == ("failed", failure, "")
    assert (current_versions(), versions.current(failed)) == (["TPL-0001"], original)


def test_missing_values_leave_the_original_as_it_was(claude: SimulatedClaude, original: Conversation) -> None:
    before = everything(original)
    with pytest.raises(GenerationError, match="city"):
        regenerate(original.pk, changes={"parameters": {}})
    assert everything(original) == before
    assert claude.requests == []


def test_a_retry_takes_up_what_failed(claude: SimulatedClaude, original: Conversation) -> None:
    claude.behaviour.script.extend(["529"] * 3)
    with pytest.raises(GenerationError):
        regenerate(original.pk, changes={"emotion": "Hopeful"})
    made = regenerate(original.pk)
    assert (made.conversation_id, made.emotion) == ("TPL-0001-v2", "Hopeful")
    assert (Conversation.objects.count(), current_versions()) == (2, ["TPL-0001-v2"])


def test_a_failed_version_can_be_generated_like_any_other_and_then_replaces(
    claude: SimulatedClaude, original: Conversation
) -> None:
    claude.behaviour.script.extend(["529"] * 3)
    with pytest.raises(GenerationError):
        regenerate(original.pk)
    generate(Conversation.objects.get(conversation_id="TPL-0001-v2").pk)
    assert present(original).status == "archived"
    assert current_versions() == ["TPL-0001-v2"]


def test_when_generation_cannot_begin_the_version_is_a_draft_again(
    original: Conversation, settings: Any, tmp_path: Path
) -> None:
    before = everything(original)
    settings.ANTHROPIC_API_KEY = settings.ANTHROPIC_BASE_URL = ""
    settings.VAR_DIR = tmp_path / "a-file"  # simulated Claude cannot be started there
    settings.VAR_DIR.touch()
    with pytest.raises(FileExistsError):
        regenerate(original.pk)
    assert Conversation.objects.get(version=2).status == "draft"
    assert everything(original) == before


# --- A crash


@pytest.fixture
def in_another_process(original: Conversation) -> Iterator[subprocess.Popen[bytes]]:
    command = manage("regenerate_conversation", "TPL-0001")
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield process
    process.kill()
    process.wait(timeout=10)


def kill(process: subprocess.Popen[bytes]) -> None:
    assert process.poll() is None, "it ended before it could be killed"
    process.kill()
    process.wait(timeout=10)


def assert_recovers(original: Conversation, before: dict[str, Any]) -> None:
    """After the crash, and after the claim has run out: the original is there; and a retry replaces it."""
    assert everything(original) == before
    assert current_versions() == ["TPL-0001"]
    Conversation.objects.filter(status="generating").update(claim_expires_at=timezone.now())
    assert claims.expire() == 1
    assert everything(original) == before
    assert Conversation.objects.get(version=2).failure_type == "abandoned"
    made = regenerate(original.pk)
    assert (made.conversation_id, present(original).status) == ("TPL-0001-v2", "archived")
    assert (Conversation.objects.count(), current_versions()) == (2, ["TPL-0001-v2"])
    assert made.turn_count == Turn.objects.filter(conversation=made).count()


def test_killed_while_claude_writes(
    claude: SimulatedClaude, original: Conversation, in_another_process: subprocess.Popen[bytes]
) -> None:
    before = everything(original)
    claude.behaviour.latency = 60
    eventually(lambda: claude.requests, seconds=40)
    kill(in_another_process)
    claude.behaviour.latency = 0
    assert present(Conversation.objects.get(version=2)).status == "generating"
    assert_recovers(original, before)


def test_killed_after_the_original_was_archived_and_before_that_was_committed(
    claude: SimulatedClaude, original: Conversation, in_another_process: subprocess.Popen[bytes]
) -> None:
    """The last rows that saving writes are the template's uses and the log: we hold the template, so that it waits."""
    before = everything(original)
    claude.behaviour.latency = 2
    eventually(lambda: claude.requests, seconds=40)
    with transaction.atomic():
        PromptTemplate.objects.select_for_update().get(pk=original.template_id)
        until_locks_are_waited_for()
        kill(in_another_process)
    claude.behaviour.latency = 0
    assert_recovers(original, before)


# --- At the same moment


def test_of_two_regenerations_one_wins_and_the_other_is_told(claude: SimulatedClaude, original: Conversation) -> None:
    claude.behaviour.latency = 0.5
    made: list[Conversation] = []

    def first() -> None:
        with workspace_scope(EVERY):
            made.append(regenerate(original.pk, changes={"emotion": "Hopeful"}))

    thread = in_background(first)
    eventually(lambda: claude.requests)
    with pytest.raises(NotRegenerable, match="TPL-0001 is being regenerated at this moment"):
        regenerate(original.pk, changes={"emotion": "Calm"})
    thread.join(timeout=20)
    assert [one.emotion for one in made] == ["Hopeful"]
    assert (len(claude.requests), current_versions()) == (1, ["TPL-0001-v2"])


@pytest.mark.parametrize("decision", [Decision.APPROVE, Decision.ARCHIVE, Decision.REJECT])
def test_a_decision_on_the_original_at_the_moment_of_the_save_comes_first_and_stays_on_record(
    original: Conversation, decision: Decision
) -> None:
    draft = versions.prepare(original)
    with transaction.atomic():
        decide(Conversation.objects.filter(pk=original.pk), decision=decision, by=UserFactory())
        thread = in_background(generate_in_scope, draft.pk)
        until_locks_are_waited_for()
    thread.join(timeout=20)
    history = [entry["decision"] for entry in present(original).review_history]
    assert history == [decision.value, "superseded"]
    assert (present(original).status, current_versions()) == ("archived", ["TPL-0001-v2"])


def test_a_decision_on_the_original_that_comes_after_the_save_is_refused(original: Conversation) -> None:
    decided: list[Decided] = []

    def approve() -> None:
        with workspace_scope(EVERY):
            one = Conversation.objects.filter(pk=original.pk)
            decided.append(decide(one, decision=Decision.APPROVE, by=UserFactory()))

    draft = versions.prepare(original)
    with transaction.atomic():
        PromptTemplate.objects.select_for_update().get(pk=original.template_id)  # saving waits, the original archived
        saving = in_background(generate_in_scope, draft.pk)
        until_locks_are_waited_for()
        reviewing = in_background(approve)
        until_locks_are_waited_for(2)
    for thread in (saving, reviewing):
        thread.join(timeout=20)
    assert [one.refused for one in decided] == [{"TPL-0001": "archived"}]
    assert current_versions() == ["TPL-0001-v2"]


def test_an_original_that_is_deleted_while_claude_writes_is_not_missed(
    claude: SimulatedClaude, original: Conversation
) -> None:
    claude.behaviour.latency = 0.5
    thread = in_background(generate_in_scope, versions.prepare(original).pk)
    eventually(lambda: claude.requests)
    Conversation.objects.get(pk=original.pk).delete()
    thread.join(timeout=20)
    made = Conversation.objects.get()
    assert (made.conversation_id, made.parent_id, made.first_version) == ("TPL-0001-v2", None, original.pk)
    assert current_versions() == ["TPL-0001-v2"]


def generate_in_scope(pk: Any) -> None:
    with workspace_scope(EVERY):
        generate(pk)


# --- The command


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("regenerate_conversation", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_changes_what_is_given_and_keeps_the_rest(claude: SimulatedClaude, original: Conversation) -> None:
    said = command("tpl-0001", "--param", "season=spring", "--emotion", "Hopeful", "--intent", "")
    made = Conversation.objects.get(version=2)
    assert made.parameters == {"city": "Oslo", "season": "spring"}
    assert (made.emotion, made.persona, made.intent) == ("Hopeful", original.persona, "")
    assert said.startswith(f"TPL-0001-v2: “{made.title}”, {made.turn_count} turns, quality {made.quality_score} (")
    assert said.endswith("simulated. TPL-0001 is archived.\n")


def test_the_command_takes_a_failed_regeneration_up_with_its_parameters(
    claude: SimulatedClaude, original: Conversation
) -> None:
    claude.behaviour.script.extend(["529"] * 3)
    with pytest.raises(CommandError, match="overloaded"):
        command("TPL-0001", "--param", "season=spring")
    command("TPL-0001", "--param", "age=41")
    assert Conversation.objects.get(version=2).parameters == {"city": "Oslo", "season": "spring", "age": "41"}


def test_the_command_asks_claude_in_another_way_this_once(claude: SimulatedClaude, original: Conversation) -> None:
    command("TPL-0001", "--model", "claude-opus-5-5", "--effort", "low")
    request = claude.requests[-1]
    assert (request["model"], request["output_config"]["effort"]) == ("claude-opus-5-5", "low")


def test_the_command_prints_one_json_object_for_scripts(original: Conversation) -> None:
    told = json.loads(command("TPL-0001", "--json"))
    made = Conversation.objects.get(version=2)
    assert (told["conversation_id"], told["archived"], told["version"]) == ("TPL-0001-v2", "TPL-0001", 2)
    assert (told["id"], told["status"], told["simulated"]) == (str(made.pk), made.status, True)
    assert (told["quality_score"], told["cost_usd"]) == (float(made.quality_score or 0), str(made.cost_usd))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["TPL-9"], "There is no conversation TPL-9"),
        (["TPL-0001", "--param", "Oslo"], "NAME=VALUE"),
        (["TPL-0002"], "TPL-0002 is still a draft"),
    ],
)
def test_the_command_says_in_one_line_what_is_wrong(
    claude: SimulatedClaude, original: Conversation, arguments: list[str], message: str
) -> None:
    ConversationFactory(workspace=original.workspace, template=original.template, conversation_id="TPL-0002")
    with pytest.raises(CommandError, match=message) as raised:
        command(*arguments)
    assert "\n" not in str(raised.value)
    assert claude.requests == []

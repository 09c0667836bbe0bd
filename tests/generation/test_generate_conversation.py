"""`manage.py generate_conversation`."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from conversations.models import Conversation
from generation.models import GenerationLog
from generation.simulated.server import SimulatedClaude
from tests.factories import ConversationFactory, DimensionFactory, PromptTemplateFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def draft() -> Conversation:
    workspace = WorkspaceFactory(is_default=True)
    made = ConversationFactory(workspace=workspace, conversation_id="TPL-0900")
    made.template.structure = "The city is {{city}}."
    made.template.save()
    PromptTemplateFactory(workspace=workspace, name="Grief", structure="Grief in {{city}}, by {{persona}}.")
    DimensionFactory(workspace=workspace, kind="persona", name="Careful saver")
    DimensionFactory(workspace=workspace, kind="emotion", name="Anxious")
    return made


def generate(*arguments: str) -> str:
    out = StringIO()
    call_command("generate_conversation", *arguments, stdout=out)
    return out.getvalue()


def test_it_generates_the_draft_and_says_what_came_of_it(claude: SimulatedClaude, draft: Conversation) -> None:
    said = generate("TPL-0900", "--param", "city=Oslo")
    draft.refresh_from_db()
    assert draft.status == "generated"
    assert draft.title in said and f"quality {draft.quality_score}" in said and "simulated" in said
    assert "The city is Oslo." in claude.requests[0]["messages"][0]["content"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["TPL-0900"], r"city \(text\)"),
        (["TPL-9"], "no conversation TPL-9"),
        (["TPL-0900", "--param", "Oslo"], "NAME=VALUE"),
        (["TPL-0900", "--workspace", "nowhere"], "no workspace “nowhere”"),
        ([], "Name either a conversation, such as TPL-0001, or a template"),
        (["TPL-0900", "--template", "Grief"], "Name either a conversation"),
        (["TPL-0900", "--persona", "Saver"], "A draft has its persona already. --persona goes with --template"),
        (["--template", "Greif"], "no template “Greif”. Did you mean “Grief”"),
        (["--template", "Grief", "--persona", "Nobody"], "no persona “Nobody”. There are: Careful saver"),
        (["--template", "Grief", "--param", "Oslo"], "NAME=VALUE"),
        (["--template", "Grief", "--dry-run"], r"city \(text\)"),
        (["--template", "Grief"], r"2 values are missing: city \(text\).*persona"),
        (
            ["TPL-0900", "--dry-run", "--temperature", "0.7", "--param", "city=Oslo"],
            "temperature 0.7 .this run. is not",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    claude: SimulatedClaude, draft: Conversation, arguments: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message) as raised:
        generate(*arguments)
    assert "\n" not in str(raised.value)
    assert claude.requests == []
    assert Conversation.objects.count() == 1, "nothing is made for what cannot be"


def test_a_new_one_is_made_from_a_template(claude: SimulatedClaude, draft: Conversation) -> None:
    said = generate("--template=grief", "--persona=careful saver", "--emotion=anxious", "--param", "city=Oslo")
    made = Conversation.objects.get(template__name="Grief")
    assert (made.status, made.persona, made.emotion) == ("generated", "Careful saver", "Anxious")
    assert made.parameters == {"city": "Oslo"}
    assert said.startswith(f"{made.conversation_id}: “{made.title}”")
    assert "Grief in Oslo, by Careful saver." in claude.requests[0]["messages"][0]["content"]


def test_a_new_one_that_fails_is_kept_and_the_way_to_try_again_is_told(
    claude: SimulatedClaude, draft: Conversation
) -> None:
    claude.behaviour.script.extend(["refusal"])
    with pytest.raises(CommandError, match=r"declined .* is kept .failed.; try it again with: manage.py gen") as raised:
        generate("--template", "Grief", "--persona", "Careful saver", "--param", "city=Oslo")
    made = Conversation.objects.get(template__name="Grief")
    assert made.status == "failed"
    generate(str(raised.value).split()[-1])
    made.refresh_from_db()
    assert made.status == "generated"


def test_claude_can_be_asked_in_another_way_for_this_run(claude: SimulatedClaude, draft: Conversation) -> None:
    generate(
        "TPL-0900", "--param", "city=Oslo", "--model", "claude-opus-5-5", "--effort", "low", "--max-tokens", "9000"
    )
    [request] = claude.requests
    assert (request["model"], request["max_tokens"]) == ("claude-opus-5-5", 9_000)
    assert request["output_config"]["effort"] == "low"


def test_a_dry_run_shows_the_prompt_its_tokens_and_the_cost_and_leaves_nothing(
    claude: SimulatedClaude, draft: Conversation
) -> None:
    said = generate("--template", "Grief", "--persona", "Careful saver", "--param", "city=Oslo", "--dry-run")
    assert "Grief in Oslo, by Careful saver." in said
    assert "<persona>Careful saver</persona>" in said
    assert "claude-sonnet-5-5 (setting ANTHROPIC_MODEL)" in said
    assert " tokens in, about " in said and "the usual lengths of its tier" in said
    assert "About $0.0" in said and "Nothing was created, and nothing was spent." in said
    assert list(Conversation.objects.values_list("status", flat=True)) == ["draft"]
    assert claude.requests == [] and not GenerationLog.objects.exists()


def test_a_dry_runs_tokens_are_those_that_are_charged(claude: SimulatedClaude, draft: Conversation) -> None:
    shown: dict[str, Any] = json.loads(generate("TPL-0900", "--param", "city=Oslo", "--dry-run", "--json"))
    generate("TPL-0900", "--param", "city=Oslo")
    log = GenerationLog.objects.get()
    assert shown["input_tokens"] == log.input_tokens + log.cache_read_tokens + log.cache_write_tokens
    assert shown["prompt"] == claude.requests[0]["messages"][0]["content"]
    assert (shown["output_tokens"]["low"], shown["price_assumed"]) == (346, False)
    assert float(shown["cost_usd"]["low"]) < float(shown["cost_usd"]["likely"]) < float(shown["cost_usd"]["high"])


def test_scripts_get_one_json_object(claude: SimulatedClaude, draft: Conversation) -> None:
    made = json.loads(generate("TPL-0900", "--param", "city=Oslo", "--json"))
    draft.refresh_from_db()
    assert (made["id"], made["status"], made["simulated"]) == (str(draft.pk), "generated", True)
    assert made["cost_usd"] == str(draft.cost_usd)


def test_where_claude_cannot_be_found_nothing_is_made(draft: Conversation, settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path / "a-file"  # simulated Claude cannot be started there
    settings.VAR_DIR.touch()
    with pytest.raises((CommandError, OSError)):
        generate("--template", "Grief", "--persona", "Careful saver", "--param", "city=Oslo")
    assert Conversation.objects.count() == 1

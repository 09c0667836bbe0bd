"""`manage.py plan_coverage`."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from conversations.coverage import fill_gaps
from conversations.models import Conversation, CoverageChange, CoverageCount, Workspace
from convgen.tenancy import NOTHING, workspace_scope
from tests.factories import PromptTemplateFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db


def _told(*arguments: str) -> str:
    """What the command writes when it is called as from a shell: outside of any scope."""
    out = StringIO()
    with workspace_scope(NOTHING):
        call_command("plan_coverage", *arguments, stdout=out)
    return out.getvalue()


def test_it_shows_each_template_and_tier_and_what_is_missing(starter: Workspace) -> None:
    told = _told()
    assert "Two people, one budget" in told
    assert told.count(": together") == 3
    assert told.endswith("90 conversations are missing. Create their drafts with: manage.py plan_coverage --fill\n")
    assert not Conversation.objects.exists()


def test_fill_creates_the_drafts_once(starter: Workspace) -> None:
    assert _told("--fill").endswith("Created 90 drafts. Generate them with: manage.py generate_batch --select drafts\n")
    assert Conversation.objects.count() == 90
    assert _told("--fill").endswith("The plan is complete.\n")
    assert Conversation.objects.count() == 90


def test_one_tier_of_one_workspace() -> None:
    workspace = WorkspaceFactory(slug="second")
    PromptTemplateFactory(workspace=workspace, name="Wanted", tier="scenario", target_count=3)
    PromptTemplateFactory(workspace=workspace, name="Other tier", tier="template", target_count=4)
    PromptTemplateFactory(workspace=WorkspaceFactory(is_default=True), name="Elsewhere", target_count=5)
    told = _told("--workspace", "second", "--tier", "scenario", "--fill")
    assert "Wanted" in told and "Created 3 drafts" in told
    assert "Other tier" not in told and "Elsewhere" not in told
    assert {one.workspace for one in Conversation.objects.all()} == {workspace}


def test_json_is_one_object(starter: Workspace) -> None:
    plan = json.loads(_told("--json", "--fill", "--tier", "template"))
    assert (plan["created"], plan["missing"]) == (30, 0)
    (tier,) = plan["tiers"]
    assert (tier["tier"], tier["template"], tier["target"], tier["live"]) == ("template", None, 30, 30)
    assert sum(one["live"] for one in plan["templates"]) == 30
    assert all(used["conversations"] >= 0 and len(used) == 2 for used in tier["values"])
    assert all(len(used) == 3 for used in tier["pairs"])


def test_recount_mends_wrong_counts(starter: Workspace) -> None:
    fill_gaps(starter)
    CoverageChange.objects.all().delete()
    CoverageCount.objects.all().delete()
    assert "90 conversations are missing" in _told()
    assert _told("--recount").endswith("The plan is complete.\n")


def test_an_empty_plan_is_said_to_be_empty() -> None:
    WorkspaceFactory(is_default=True)
    assert _told() == "The plan is empty: no active template has a target count.\n"


def test_more_than_can_be_planned_at_one_time_is_refused_and_nothing_is_made() -> None:
    PromptTemplateFactory(workspace=WorkspaceFactory(is_default=True), name="Budget", target_count=50_001)
    with pytest.raises(CommandError, match="“Budget” alone lacks 50,001: lower its target, or choose one tier"):
        _told("--fill")
    assert not Conversation.objects.exists()
    assert "50001" in _told().replace(",", "")


def test_an_unknown_workspace_is_refused_with_those_that_there_are() -> None:
    WorkspaceFactory(slug="first")
    with pytest.raises(CommandError, match=r"There is no workspace “nowhere”\. Choose one with --workspace: first\."):
        _told("--workspace", "nowhere")


def test_an_unknown_tier_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid choice: 'legendary'"):
        _told("--tier", "legendary")

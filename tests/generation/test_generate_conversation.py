"""`manage.py generate_conversation`."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from conversations.models import Conversation
from generation.simulated.server import SimulatedClaude
from tests.factories import ConversationFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def draft() -> Conversation:
    workspace = WorkspaceFactory(is_default=True)
    made = ConversationFactory(workspace=workspace, conversation_id="TPL-0001")
    made.template.structure = "The city is {{city}}."
    made.template.save()
    return made


def generate(*arguments: str) -> str:
    out = StringIO()
    call_command("generate_conversation", *arguments, stdout=out)
    return out.getvalue()


def test_it_generates_the_draft_and_says_what_came_of_it(claude: SimulatedClaude, draft: Conversation) -> None:
    said = generate("TPL-0001", "--param", "city=Oslo")
    draft.refresh_from_db()
    assert draft.status == "generated"
    assert draft.title in said and f"quality {draft.quality_score}" in said and "simulated" in said
    assert "The city is Oslo." in claude.requests[0]["messages"][0]["content"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["TPL-0001"], r"city \(text\)"),
        (["TPL-9"], "no conversation TPL-9"),
        (["TPL-0001", "--param", "Oslo"], "NAME=VALUE"),
        (["TPL-0001", "--workspace", "nowhere"], "no workspace “nowhere”"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    claude: SimulatedClaude, draft: Conversation, arguments: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message) as raised:
        generate(*arguments)
    assert "\n" not in str(raised.value)
    assert claude.requests == []

"""A draft's prompt while somebody still chooses: values marked, what is missing named, nothing asked of Claude."""

import pytest

from generation.forecast import prompt_tokens
from generation.preview import prepared
from generation.sketch import sketch
from tests.factories import ConversationFactory, PromptTemplateFactory

pytestmark = pytest.mark.django_db

VARIABLES = [{"name": "city", "type": "text", "required": True}, {"name": "age", "type": "number"}]


def test_values_are_marked_and_the_whole_is_what_claude_would_read() -> None:
    draft = ConversationFactory(template__structure="Talk with {{persona}}.", template__system_prompt="Be kind.")
    drawn = sketch(draft)
    assert [(part.kind, part.text) for part in drawn.structure] == [
        ("text", "Talk with "),
        ("value", "Careful saver"),
        ("text", "."),
    ]
    _configuration, request = prepared(draft)
    asked = "".join(part.text for part in drawn.structure)
    assert request["messages"][0]["content"] == f"{asked}\n\n{drawn.brief}"
    system = "".join(part.text for part in drawn.system)
    assert request["system"][0]["text"] == f"{system}\n\n{drawn.additions}"
    assert drawn.forecast is not None
    assert drawn.forecast.input_tokens == prompt_tokens(request)
    assert drawn.complete


def test_what_is_missing_or_wrong_is_named_value_by_value() -> None:
    template = PromptTemplateFactory(structure="{{persona}} in {{city}}, aged {{age}}.", variables=VARIABLES)
    drawn = sketch(ConversationFactory(template=template, workspace=template.workspace, parameters={"age": "old"}))
    assert set(drawn.problems) == {"city", "age"}
    assert drawn.problems["age"] == "age must be a number, got 'old'."
    assert ("missing", "{{city}}") in [(part.kind, part.text) for part in drawn.structure]
    assert drawn.forecast is None
    assert not drawn.complete


@pytest.mark.parametrize(
    ("template", "trouble"),
    [
        ({"structure": "{{persona"}, "structure, line 1"),
        ({"variables": [{"name": "city"}]}, "Variable city"),
        ({"temperature": "0.5"}, "temperature"),
    ],
)
def test_what_no_value_can_mend_is_said_as_a_whole(template: dict[str, object], trouble: str) -> None:
    made = PromptTemplateFactory(**template)
    drawn = sketch(ConversationFactory(template=made, workspace=made.workspace))
    assert trouble in drawn.trouble
    assert not drawn.complete


def test_a_draft_whose_template_was_deleted_says_so() -> None:
    assert "deleted" in sketch(ConversationFactory(template=None, tier="template")).trouble

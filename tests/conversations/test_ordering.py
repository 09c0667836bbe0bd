"""One draft, ordered by hand."""

import threading
from typing import Any

import pytest

from conversations.coverage import gaps
from conversations.models import Conversation, Dimension, PromptTemplate, Workspace
from conversations.ordering import OrderError, draft_of, place_in_plan, template_named
from convgen.tenancy import EVERY, workspace_scope
from tests.background import in_background
from tests.factories import ChunkFactory, DimensionFactory, PromptTemplateFactory

pytestmark = pytest.mark.django_db

WORDS = {"persona": "careful saver", "emotion": "Anxious", "topic": "Debt"}


def order(template: PromptTemplate, words: dict[str, str], **options: Any) -> Conversation:
    return place_in_plan(draft_of(template, words, **options))


@pytest.fixture
def template() -> PromptTemplate:
    made: PromptTemplate = PromptTemplateFactory(name="Grief", tier="scenario", category="Money", target_count=3)
    for kind, name in (("persona", "Careful saver"), ("emotion", "Anxious"), ("topic", "Debt"), ("intent", "Compare")):
        DimensionFactory(workspace=made.workspace, kind=kind, name=name)
    return made


@pytest.fixture
def workspace(template: PromptTemplate) -> Workspace:
    return template.workspace


def test_it_holds_what_was_chosen_as_the_workspace_writes_it(template: PromptTemplate) -> None:
    chunk = ChunkFactory(document__workspace=template.workspace, dimensions={"topics": {"Debt": 1}})
    made = order(template, WORDS, parameters={"city": "Oslo"})
    made.refresh_from_db()
    assert (made.conversation_id, made.status, made.tier, made.category) == ("SCN-0001", "draft", "scenario", "Money")
    assert (made.persona, made.emotion, made.topic, made.intent) == ("Careful saver", "Anxious", "Debt", "")
    assert (made.template_id, made.template_version, made.parameters) == (template.pk, 1, {"city": "Oslo"})
    assert (made.chunk_id, made.document_id) == (chunk.pk, chunk.document_id)


def test_it_fills_a_place_of_the_plan(template: PromptTemplate, workspace: Workspace) -> None:
    assert len(gaps(workspace)) == 3
    first, second = order(template, WORDS), order(template, WORDS)
    assert first.slot and second.slot and first.slot != second.slot
    assert len(gaps(workspace)) == 1


def test_an_archived_ones_place_is_given_out_again(template: PromptTemplate) -> None:
    first = order(template, WORDS)
    Conversation.objects.filter(pk=first.pk).update(status="archived")
    assert order(template, WORDS).slot == first.slot


def test_every_unknown_word_is_named_with_what_there_is(template: PromptTemplate) -> None:
    with pytest.raises(OrderError) as refused:
        order(template, {"persona": "Carefull saver", "emotion": "Blue", "topic": "Debt", "tone": "Warm"})
    words = str(refused.value)
    assert "There is no persona “Carefull saver”. Did you mean “Careful saver”?" in words
    assert "There is no emotion “Blue”. There are: Anxious." in words
    assert "There is no tone “Warm”. There are none yet." in words
    assert not Conversation.objects.exists()


def test_a_value_that_is_not_active_or_of_another_workspace_is_unknown(template: PromptTemplate) -> None:
    DimensionFactory(kind="topic", name="Elsewhere")
    Dimension.objects.filter(name="Debt").update(active=False)
    for topic in ("Elsewhere", "Debt"):
        with pytest.raises(OrderError, match=f"no topic “{topic}”"):
            order(template, {"topic": topic})


def test_a_draft_to_look_at_is_not_saved(template: PromptTemplate) -> None:
    assert draft_of(template, WORDS).topic == "Debt"
    assert not Conversation.objects.exists()


def test_a_template_is_found_by_its_name_however_it_is_capitalised(template: PromptTemplate) -> None:
    assert template_named(template.workspace, " grief ") == template
    with pytest.raises(OrderError, match=r"no template “Greif”\. Did you mean “Grief”\?"):
        template_named(template.workspace, "Greif")


@pytest.mark.django_db(transaction=True)
def test_two_at_once_get_different_places(template: PromptTemplate) -> None:
    together = threading.Barrier(4)

    def place() -> None:
        with workspace_scope(EVERY):
            together.wait(timeout=10)
            order(template, WORDS)

    threads = [in_background(place) for _ in range(4)]
    for thread in threads:
        thread.join()
    slots = list(Conversation.objects.values_list("slot", flat=True))
    assert len(slots) == len(set(slots)) == 4

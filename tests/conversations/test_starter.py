"""The starter workspace: loaded whole, once, and never over a curator's work."""

import tomllib
from pathlib import Path

import pytest

from conversations.choices import DimensionKind
from conversations.coverage import fill_gaps
from conversations.models import Chunk, Conversation, Dimension, Document, PromptTemplate, Workspace
from conversations.quality.words import words_of
from conversations.starter.documents import read_document
from conversations.starter.load import FOLDER, load_starter
from generation.configuration import Configuration
from generation.prompts import parse
from generation.request import build_request, descriptions
from tests.factories import WorkspaceFactory

pytestmark = pytest.mark.django_db

TEMPLATES = sorted((FOLDER / "templates").glob("*.toml"))
DOCUMENTS = sorted((FOLDER / "documents").glob("*.md"))


def test_it_is_loaded_whole() -> None:
    loaded = load_starter()
    dimensions = tomllib.loads((FOLDER / "dimensions.toml").read_text(encoding="utf-8"))
    assert loaded.created == {
        "dimensions": sum(len(dimensions[kind]) for kind in DimensionKind.values),
        "templates": len(TEMPLATES),
        "documents": len(DOCUMENTS),
    }
    assert loaded.workspace.is_default
    assert loaded.workspace.training_system_prompt.startswith("You are a planner")
    assert Dimension.objects.exclude(description="").count() == loaded.created["dimensions"]


def test_every_template_is_complete(starter: Workspace) -> None:
    for template in PromptTemplate.objects.filter(workspace=starter):
        assert template.target_count > 0
        assert template.required_elements
        assert template.example_conversation
        assert set(template.applies_to.values_list("kind", flat=True)) <= {"persona", "emotion", "topic"}
        assert template.applies_to.exists()


def test_a_second_time_nothing_is_missing(starter: Workspace) -> None:
    before = {model: model.objects.count() for model in (Dimension, PromptTemplate, Document, Chunk)}
    again = load_starter()
    assert again.workspace == starter
    assert again.created == {"dimensions": 0, "templates": 0, "documents": 0}
    assert {model: model.objects.count() for model in before} == before


def test_a_curators_edits_survive(starter: Workspace) -> None:
    template = PromptTemplate.objects.filter(workspace=starter).first()
    assert template
    template.structure, template.target_count = "My own {{persona}}.", 99
    template.save()
    template.applicability.all().delete()
    Dimension.objects.filter(name="Anxious").update(description="My own words.", active=False)
    Workspace.objects.filter(pk=starter.pk).update(name="My practice", training_system_prompt="Mine.")
    Chunk.objects.filter(position=1).update(text="My own text.")
    load_starter()
    template.refresh_from_db()
    assert (template.structure, template.target_count, template.version) == ("My own {{persona}}.", 99, 2)
    assert template.applicability.count() == 0
    anxious = Dimension.objects.get(name="Anxious")
    assert (anxious.description, anxious.active) == ("My own words.", False)
    starter.refresh_from_db()
    assert (starter.name, starter.training_system_prompt) == ("My practice", "Mine.")
    assert set(Chunk.objects.filter(position=1).values_list("text", flat=True)) == {"My own text."}


def test_what_was_deleted_comes_back(starter: Workspace) -> None:
    Document.objects.filter(workspace=starter).first().delete()  # type: ignore[union-attr]
    assert load_starter().created == {"dimensions": 0, "templates": 0, "documents": 1}


def test_another_default_workspace_stays_the_default() -> None:
    mine = WorkspaceFactory(is_default=True)
    assert not load_starter().workspace.is_default
    mine.refresh_from_db()
    assert mine.is_default


def test_every_draft_of_the_plan_resolves_to_a_request(starter: Workspace) -> None:
    described = descriptions(starter.pk)
    fill_gaps(starter)
    drafts = Conversation.objects.select_related("template", "chunk__document", "document")
    assert {draft.template_id for draft in drafts} == set(PromptTemplate.objects.values_list("pk", flat=True))
    for draft in drafts:
        request = build_request(draft, configuration=Configuration("claude-x", 1000), described=described)
        prompt = request["messages"][0]["content"]
        assert "{{" not in prompt + request["system"][0]["text"]
        for value in (draft.persona, draft.emotion, draft.topic, draft.intent, draft.tone):
            assert value
            assert value in prompt


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_every_declared_variable_is_used_and_every_threshold_is_a_score(path: Path) -> None:
    row = tomllib.loads(path.read_text(encoding="utf-8"))
    used = {name for field in ("structure", "system_prompt") for name in parse(row[field]).names}
    unused = {variable["name"] for variable in row["variables"]} - used
    assert unused == set()
    assert 0 < row["quality_threshold"] <= 10


def test_documents_are_split_into_chunks_with_labels(starter: Workspace) -> None:
    topics = set(Dimension.objects.filter(workspace=starter, kind="topic").values_list("name", flat=True))
    about: set[str] = set()
    for document in Document.objects.filter(workspace=starter):
        chunks = list(document.chunks.all())
        assert [chunk.position for chunk in chunks] == list(range(1, len(chunks) + 1))
        assert len(chunks) >= 3
        for chunk in chunks:
            assert len(words_of(chunk.text)) > 50
            assert "<!--" not in chunk.text
            assert chunk.dimensions["labels"]
            assert chunk.dimensions["complexity"] in ("low", "medium", "high")
            assert 0 < chunk.dimensions["confidence"] <= 1
            about |= set(chunk.dimensions["topics"])
    assert about <= topics, "a chunk is about a topic that the workspace does not have"


def test_a_document_is_a_title_and_a_chunk_under_each_heading() -> None:
    read = read_document(
        "# Cash first\n\nFor planners.\n\n"
        "## Why\n<!-- labels: cash, safety; complexity: low; confidence: 0.9; topics: One topic, Another -->\n"
        "Because.\n\n## How\n\nSlowly.\n"
    )
    assert read.title == "Cash first"
    assert len(read.content_hash) == 64
    about = {"labels": ["cash", "safety"], "topics": ["One topic", "Another"], "complexity": "low", "confidence": 0.9}
    assert read.chunks == [("Why\n\nBecause.", about), ("How\n\nSlowly.", {})]


def test_a_document_without_a_title_is_refused() -> None:
    with pytest.raises(ValueError, match="begins with its title"):
        read_document("Cash first\n\n## Why\nBecause.\n")

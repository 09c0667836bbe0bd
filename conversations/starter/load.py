"""Loads the starter workspace from the files beside this one.

Only what is missing is created, so that it can be run again and never overwrites a curator's work.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction

from conversations.choices import DimensionKind
from conversations.models import Chunk, Dimension, Document, PromptTemplate, TemplateApplicability, Workspace
from conversations.starter.documents import read_document
from convgen.tenancy import EVERY, workspace_scope

FOLDER = Path(__file__).parent
LISTS = {"personas": DimensionKind.PERSONA, "emotions": DimensionKind.EMOTION, "topics": DimensionKind.TOPIC}


@dataclass
class Loaded:
    workspace: Workspace
    created: dict[str, int] = field(default_factory=lambda: {"dimensions": 0, "templates": 0, "documents": 0})


@transaction.atomic
def load_starter() -> Loaded:
    """Create what is missing of the starter workspace. It is the default one, if there is no other."""
    return load_contents(_load_workspace())


@workspace_scope(EVERY)
def _load_workspace() -> Workspace:
    described = _toml("workspace.toml")["workspace"]
    texts = {name: described[name].strip() for name in ("name", "description", "training_system_prompt")}
    workspace, _created = Workspace.objects.get_or_create(
        slug=described["slug"],
        defaults={**texts, "is_default": not Workspace.objects.filter(is_default=True).exists()},
    )
    return workspace


@transaction.atomic
def load_contents(workspace: Workspace) -> Loaded:
    """Create what is missing of the starter's dimensions, templates and documents in a workspace."""
    loaded = Loaded(workspace)
    with workspace_scope(workspace.pk):
        _load_dimensions(loaded)
        _load_templates(loaded)
        _load_documents(loaded)
    return loaded


def _load_dimensions(loaded: Loaded) -> None:
    tables = _toml("dimensions.toml")
    for kind in DimensionKind.values:
        for position, row in enumerate(tables[kind]):
            _dimension, created = Dimension.objects.get_or_create(
                workspace=loaded.workspace,
                kind=kind,
                name=row["name"],
                defaults={
                    "description": row["description"].strip(),
                    "attributes": row.get("attributes", {}),
                    "position": position,
                },
            )
            loaded.created["dimensions"] += created


def _load_templates(loaded: Loaded) -> None:
    for path in sorted((FOLDER / "templates").glob("*.toml")):
        row = tomllib.loads(path.read_text(encoding="utf-8"))
        applicable = list(_applicable(loaded.workspace, row))
        template, created = PromptTemplate.objects.get_or_create(
            workspace=loaded.workspace, name=row.pop("name"), defaults={name: _tidy(row[name]) for name in row}
        )
        loaded.created["templates"] += created
        if created:
            TemplateApplicability.objects.bulk_create(
                TemplateApplicability(workspace=loaded.workspace, template=template, dimension=dimension)
                for dimension in applicable
            )


def _applicable(workspace: Workspace, row: dict[str, Any]) -> Iterator[Dimension]:
    """Take the lists of names out of a template's row, and find what they name."""
    for list_name, kind in LISTS.items():
        for name in row.pop(list_name):
            yield Dimension.objects.get(workspace=workspace, kind=kind, name=name)


def _load_documents(loaded: Loaded) -> None:
    for path in sorted((FOLDER / "documents").glob("*.md")):
        read = read_document(path.read_text(encoding="utf-8"))
        document, created = Document.objects.get_or_create(
            workspace=loaded.workspace,
            content_hash=read.content_hash,
            defaults={"title": read.title, "source": f"starter/{path.name}"},
        )
        loaded.created["documents"] += created
        if created:
            Chunk.objects.bulk_create(
                Chunk(workspace=loaded.workspace, document=document, position=position, text=text, dimensions=labels)
                for position, (text, labels) in enumerate(read.chunks, start=1)
            )


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))


def _tidy(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value

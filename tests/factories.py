"""Rows for tests, in words of the domain."""

from typing import Any
from uuid import uuid4

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from batches.models import BatchItem, BatchJob, MessageBatch
from conversations.models import (
    Chunk,
    Conversation,
    Dimension,
    Document,
    Export,
    Membership,
    PromptTemplate,
    Turn,
    Workspace,
)
from convgen.models import User
from generation.models import GenerationLog


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User

    username = factory.Sequence(lambda number: f"curator{number}")


class WorkspaceFactory(DjangoModelFactory):
    class Meta:
        model = Workspace

    name = factory.Sequence(lambda number: f"Practice {number}")
    slug = factory.Sequence(lambda number: f"practice-{number}")


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = Membership

    workspace = factory.SubFactory(WorkspaceFactory)
    user = factory.SubFactory(UserFactory)


class DimensionFactory(DjangoModelFactory):
    class Meta:
        model = Dimension

    workspace = factory.SubFactory(WorkspaceFactory)
    kind = "persona"
    name = factory.Sequence(lambda number: f"Persona {number}")
    description = "Somebody who asks."


class DocumentFactory(DjangoModelFactory):
    class Meta:
        model = Document

    workspace = factory.SubFactory(WorkspaceFactory)
    title = factory.Sequence(lambda number: f"Guide {number}")
    content_hash = factory.Sequence(lambda number: f"{number:064x}")


class ChunkFactory(DjangoModelFactory):
    class Meta:
        model = Chunk

    document = factory.SubFactory(DocumentFactory)
    workspace = factory.SelfAttribute("document.workspace")
    position = factory.Sequence(lambda number: number + 1)
    text = "Money that is needed next month does not belong in shares."


class PromptTemplateFactory(DjangoModelFactory):
    class Meta:
        model = PromptTemplate

    workspace = factory.SubFactory(WorkspaceFactory)
    name = factory.Sequence(lambda number: f"Template {number}")
    tier = "template"
    structure = "Write a talk between {{persona}} and an adviser."


class ConversationFactory(DjangoModelFactory):
    """A draft, ready to be generated."""

    class Meta:
        model = Conversation

    workspace = factory.SubFactory(WorkspaceFactory)
    conversation_id = factory.Sequence(lambda number: f"TPL-{number:04d}")
    template = factory.SubFactory(PromptTemplateFactory, workspace=factory.SelfAttribute("..workspace"))
    tier = factory.SelfAttribute("template.tier")
    persona = "Careful saver"
    emotion = "Anxious"
    topic = "Building an emergency fund"


class TurnFactory(DjangoModelFactory):
    class Meta:
        model = Turn

    conversation = factory.SubFactory(ConversationFactory)
    workspace = factory.SelfAttribute("conversation.workspace")
    position = factory.Sequence(lambda number: number + 1)
    role = factory.Iterator(["user", "assistant"])
    content = "What should I do first?"


class BatchJobFactory(DjangoModelFactory):
    class Meta:
        model = BatchJob

    workspace = factory.SubFactory(WorkspaceFactory)
    name = "A batch"
    model = "claude-sonnet-5-5"


def batch_of(*statuses: str, **job: Any) -> BatchJob:
    """A batch with an item for each status; its counters follow them."""
    made: BatchJob = BatchJobFactory(**job)
    for status in statuses:
        BatchItemFactory(job=made, status=status)
    made.refresh_from_db()
    return made


class BatchItemFactory(DjangoModelFactory):
    class Meta:
        model = BatchItem

    job = factory.SubFactory(BatchJobFactory)
    workspace = factory.SelfAttribute("job.workspace")
    conversation = factory.SubFactory(ConversationFactory, workspace=factory.SelfAttribute("..workspace"))
    position = factory.Sequence(lambda number: number + 1)


class MessageBatchFactory(DjangoModelFactory):
    class Meta:
        model = MessageBatch

    job = factory.SubFactory(BatchJobFactory, delivery="economy")
    workspace = factory.SelfAttribute("job.workspace")
    requests = 1
    next_look_at = factory.LazyFunction(timezone.now)


class ExportFactory(DjangoModelFactory):
    class Meta:
        model = Export

    workspace = factory.SubFactory(WorkspaceFactory)
    format = "openai"
    scope = "approved"
    status = "completed"
    file = "var/exports/approved.jsonl"


class GenerationLogFactory(DjangoModelFactory):
    class Meta:
        model = GenerationLog

    conversation = factory.SubFactory(ConversationFactory)
    workspace = factory.SelfAttribute("conversation.workspace")
    run_id = factory.LazyFunction(uuid4)
    model = "claude-sonnet-5-5"
    request = factory.LazyAttribute(
        lambda log: {
            "model": log.model.removeprefix("simulated-"),
            "messages": [{"role": "user", "content": "First line.\nSecond line."}],
        }
    )
    status = "succeeded"

"""Every page of the admin opens with real rows, searches and filters."""

from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client

from batches.models import BatchItem, BatchJob
from conversations import quality
from conversations.models import (
    Chunk,
    Conversation,
    ConversationNumber,
    Dimension,
    Document,
    Export,
    Fingerprint,
    Membership,
    PromptTemplate,
    Workspace,
)
from generation.models import GenerationLog, RateGrant, RateWaiter
from tests.admin_pages import add_to, list_of, listed, member, outsider, page_of, queries_of
from tests.factories import (
    BatchItemFactory,
    BatchJobFactory,
    ConversationFactory,
    ExportFactory,
    GenerationLogFactory,
    MembershipFactory,
    TurnFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

EDITABLE = [Workspace, Membership, Document, Chunk, Dimension, PromptTemplate]
READ_ONLY = [Conversation, Export, GenerationLog, BatchJob, BatchItem]  # no row is added by hand
SEARCHES = {
    Workspace: "kestrel",
    Membership: "mona",
    Document: "Debt",
    Chunk: "emergency",
    Dimension: "Anxious",
    PromptTemplate: "Grief",
    Conversation: "TPL-0001",
    Export: "approved.jsonl",
    GenerationLog: "TPL-0001",
    BatchJob: "First",
    BatchItem: "TPL-0001",
}


@pytest.fixture
def rows(starter: Workspace) -> Workspace:
    """One row of everything, over the starter workspace."""
    mona = UserFactory(username="mona")
    MembershipFactory(workspace=starter, user=mona)
    template, chunk = PromptTemplate.objects.all()[0], Chunk.objects.all()[0]
    said = [("user", "What comes first?"), ("assistant", "A next step.")] * 3
    report = quality.assess(quality.Sample(turns=tuple(quality.Turn(*turn) for turn in said), tier="template"))
    conversation = ConversationFactory(
        workspace=starter,
        conversation_id="TPL-0001",
        template=template,
        chunk=chunk,
        status="pending_review",
        simulated=True,
        created_by=mona,
        quality_score=report.score,
        quality_metrics=report.as_json(),
        review_history=[
            {
                "at": "2026-11-22T12:00:00+00:00",
                "by": "mona",
                "by_id": "1",
                "decision": "approve",
                "note": "Fine.",
                "score": 7.1,
            }
        ],
    )
    for position, (role, content) in enumerate(said, start=1):
        TurnFactory(conversation=conversation, position=position, role=role, content=content)
    GenerationLogFactory(conversation=conversation, response={"id": "msg_1"})
    job = BatchJobFactory(workspace=starter, name="First batch", created_by=mona, status="completed")
    BatchItemFactory(job=job, conversation=conversation, status="completed")
    ExportFactory(workspace=starter, created_by=mona)
    return starter


@pytest.mark.parametrize("model", [*EDITABLE, *READ_ONLY])
def test_the_list_the_search_and_the_page_open(rows: Workspace, admin_client: Client, model: type[Model]) -> None:
    assert listed(admin_client, model)
    found = listed(admin_client, model, q=SEARCHES[model])
    assert found
    assert admin_client.get(page_of(model._default_manager.get(pk=found.pop()))).status_code == 200
    assert listed(admin_client, model, q="nothing-is-called-so") == set()


@pytest.mark.parametrize("model", EDITABLE)
def test_what_curators_own_can_be_added(rows: Workspace, admin_client: Client, model: type[Model]) -> None:
    assert admin_client.get(add_to(model)).status_code == 200


@pytest.mark.parametrize("model", READ_ONLY)
def test_records_cannot_be_added_by_hand(rows: Workspace, admin_client: Client, model: type[Model]) -> None:
    assert admin_client.get(add_to(model)).status_code == 403
    before = model._default_manager.count()
    assert admin_client.post(add_to(model), {}).status_code == 403
    assert model._default_manager.count() == before


@pytest.mark.parametrize("model", [*EDITABLE, *READ_ONLY])
def test_every_choice_of_every_filter_opens(rows: Workspace, admin_client: Client, model: type[Model]) -> None:
    response = admin_client.get(list_of(model))
    changelist = response.context["cl"]
    for spec in changelist.filter_specs:
        for choice in list(spec.choices(changelist))[:4]:
            assert admin_client.get(list_of(model) + choice["query_string"]).status_code == 200


@pytest.mark.parametrize("model", [Fingerprint, ConversationNumber, RateGrant, RateWaiter])
def test_the_machinery_has_no_pages(model: type[Model]) -> None:
    assert not admin.site.is_registered(model)


@pytest.mark.parametrize("model", [*EDITABLE, *READ_ONLY])
def test_staff_without_a_membership_are_refused(rows: Workspace, model: type[Model]) -> None:
    client = outsider()
    assert client.get(list_of(model)).status_code == 403
    assert client.get(page_of(model._default_manager.first())).status_code == 403


@pytest.mark.parametrize("model", [*EDITABLE, *READ_ONLY])
def test_who_may_only_look_can_look(rows: Workspace, model: type[Model]) -> None:
    client = member(rows, "operator")
    row = model._default_manager.get(pk=listed(client, model).pop())
    assert client.get(page_of(row)).status_code == 200
    assert client.post(page_of(row), {}).status_code == 403


def test_a_stranger_is_asked_to_sign_in(rows: Workspace, client: Client) -> None:
    assert "login" in client.get(list_of(Conversation)).url


MORE: dict[type[Model], Any] = {
    Conversation: lambda workspace: ConversationFactory(workspace=workspace, status="failed", failure_message="Busy."),
    BatchJob: lambda workspace: BatchJobFactory(workspace=workspace, created_by=UserFactory()),
    BatchItem: lambda workspace: BatchItemFactory(job__workspace=workspace),
    PromptTemplate: lambda workspace: ConversationFactory(workspace=workspace).template,
    GenerationLog: lambda workspace: GenerationLogFactory(conversation__workspace=workspace),
    Chunk: lambda workspace: Chunk.objects.create(
        workspace=workspace, document=Document.objects.first(), position=100 + Chunk.objects.count(), text="More."
    ),
    Membership: lambda workspace: MembershipFactory(workspace=workspace),
}


@pytest.mark.parametrize("model", MORE)
def test_a_longer_list_takes_no_more_queries(rows: Workspace, admin_client: Client, model: type[Model]) -> None:
    MORE[model](rows)
    listed(admin_client, model)  # fills the caches of content types and permissions
    few = queries_of(admin_client, list_of(model))
    for _ in range(8):
        MORE[model](rows)
    assert len(queries_of(admin_client, list_of(model))) == len(few)

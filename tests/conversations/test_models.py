"""The rules that the database keeps, whoever writes: each is broken on purpose and refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import DataError, IntegrityError, transaction
from django.db.models import ProtectedError

from conversations.choices import NOT_LIVE, Status
from conversations.models import Conversation, Export, PromptTemplate, TemplateApplicability, Workspace
from tests.factories import (
    BatchItemFactory,
    BatchJobFactory,
    ChunkFactory,
    ConversationFactory,
    DimensionFactory,
    DocumentFactory,
    ExportFactory,
    MembershipFactory,
    PromptTemplateFactory,
    TurnFactory,
    UserFactory,
    WorkspaceFactory,
)
from tests.statuses import put

pytestmark = pytest.mark.django_db


@contextmanager
def _refused(rule: str) -> Iterator[None]:
    """The database refuses what the block writes, because of the rule, and stays usable."""
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        yield


# --- words and numbers ------------------------------------------------------------------------------------


def test_a_conversation_has_one_of_the_tiers() -> None:
    with _refused("conversation_tier_known"):
        ConversationFactory(tier="legendary")


def test_a_conversation_has_one_of_the_statuses() -> None:
    with _refused("conversation_status_known"):
        ConversationFactory(status="finished")


def test_a_conversation_comes_from_its_parent_in_a_known_way() -> None:
    with _refused("conversation_parent_type_known"):
        ConversationFactory(parent_type="adoption")
    ConversationFactory(parent_type="regeneration")


def test_a_template_has_one_of_the_tiers() -> None:
    with _refused("prompt_template_tier_known"):
        PromptTemplateFactory(tier="all")


def test_a_dimension_has_one_of_the_kinds() -> None:
    with _refused("dimension_kind_known"):
        DimensionFactory(kind="weather")


def test_a_member_has_one_of_the_roles() -> None:
    with _refused("membership_role_known"):
        MembershipFactory(role="owner")


def test_a_turn_has_one_of_the_roles() -> None:
    with _refused("turn_role_known"):
        TurnFactory(role="system")


@pytest.mark.parametrize(("column", "word"), [("format", "pdf"), ("status", "begun")])
def test_an_export_has_a_known_format_and_status(column: str, word: str) -> None:
    values = {"scope": "all", "format": "openai", "status": "completed", column: word}
    with _refused(f"export_{column}_known"):
        Export.objects.create(workspace=WorkspaceFactory(), **values)


@pytest.mark.parametrize("score", ["-0.1", "10.1", "99.9"])
def test_a_score_lies_between_0_and_10(score: str) -> None:
    with _refused("conversation_quality_score_range"):
        ConversationFactory(quality_score=Decimal(score))


@pytest.mark.parametrize("score", [None, "0", "10.0", "6.4"])
def test_a_score_may_be_missing_or_in_the_range(score: str | None) -> None:
    made = ConversationFactory(quality_score=score and Decimal(score))
    made.refresh_from_db()
    assert made.quality_score == (score and Decimal(score))


def test_a_score_of_three_digits_is_refused_too() -> None:
    with pytest.raises(DataError), transaction.atomic():
        Conversation.objects.filter(pk=ConversationFactory().pk).update(quality_score=Decimal(100))


def test_a_cost_is_not_negative() -> None:
    with _refused("conversation_cost_not_negative"):
        ConversationFactory(cost_usd=Decimal("-0.000001"))


def test_a_batch_has_a_call_in_flight_at_least() -> None:
    with _refused("batch_job_concurrency_positive"):
        BatchJobFactory(concurrent_processing=0)


@pytest.mark.parametrize("factory", [TurnFactory, ChunkFactory, BatchItemFactory])
def test_places_are_counted_from_one(factory: Any) -> None:
    with _refused("position_at_least_1"):
        factory(position=0)


@pytest.mark.parametrize(
    ("factory", "values"),
    [
        (BatchItemFactory, {"cost_usd": Decimal("-0.01")}),
        (BatchItemFactory, {"progress": 101}),
        (BatchJobFactory, {"budget_usd": Decimal("-1")}),
        (BatchJobFactory, {"max_attempts": 0}),
        (ConversationFactory, {"version": 0}),
        (ConversationFactory, {"turn_count": -1}),
        (PromptTemplateFactory, {"version": 0}),
    ],
)
def test_numbers_have_their_ranges(factory: Any, values: dict[str, Any]) -> None:
    with _refused(next(iter(values))):
        factory(**values)


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"quality_threshold": Decimal("10.1")}, "prompt_template_quality_threshold_range"),
        ({"quality_threshold": Decimal("-1")}, "prompt_template_quality_threshold_range"),
        ({"rating": Decimal("5.1")}, "prompt_template_rating_range"),
        ({"rating": Decimal("-0.1")}, "prompt_template_rating_range"),
    ],
)
def test_a_threshold_and_a_rating_have_a_range(values: dict[str, Decimal], rule: str) -> None:
    with _refused(rule):
        PromptTemplateFactory(**values)


# --- what there is only one of ----------------------------------------------------------------------------


def test_a_readable_id_is_given_once_in_a_workspace() -> None:
    first = ConversationFactory(conversation_id="TPL-0001")
    with _refused("conversation_readable_id_once"):
        ConversationFactory(workspace=first.workspace, conversation_id="TPL-0001")
    assert ConversationFactory(conversation_id="TPL-0001").workspace != first.workspace


def test_a_slot_holds_one_live_conversation() -> None:
    first = ConversationFactory(slot="place")
    with _refused("conversation_live_slot_once"):
        ConversationFactory(workspace=first.workspace, slot="place")
    ConversationFactory(slot="place")  # of another workspace


@pytest.mark.parametrize("status", NOT_LIVE)
def test_a_slot_is_free_again_when_its_conversation_is_put_away(status: Status) -> None:
    first = ConversationFactory(slot="place")
    put(first, status)
    second = ConversationFactory(workspace=first.workspace, slot="place")
    with _refused("conversation_live_slot_once"):  # and the first cannot come back
        put(first, Status.DRAFT)
    assert list(Conversation.objects.filter(slot="place").live()) == [second]


def test_conversations_outside_the_plan_need_no_slot_of_their_own() -> None:
    first = ConversationFactory(slot="")
    ConversationFactory(workspace=first.workspace, slot="")


def test_turns_have_a_place_each() -> None:
    turn = TurnFactory(position=1)
    with _refused("turn_position_once"):
        TurnFactory(conversation=turn.conversation, position=1)
    TurnFactory(conversation=turn.conversation, position=2)


def test_chunks_have_a_place_each() -> None:
    chunk = ChunkFactory(position=1)
    with _refused("chunk_position_once"):
        ChunkFactory(document=chunk.document, position=1)


def test_a_text_is_imported_once_into_a_workspace() -> None:
    document = DocumentFactory()
    with _refused("document_content_once"):
        DocumentFactory(workspace=document.workspace, content_hash=document.content_hash)
    DocumentFactory(content_hash=document.content_hash)


def test_there_is_one_default_workspace() -> None:
    WorkspaceFactory(is_default=True)
    with _refused("workspace_one_default"):
        WorkspaceFactory(is_default=True)
    WorkspaceFactory(is_default=False)
    WorkspaceFactory(is_default=False)


def test_a_slug_is_given_once() -> None:
    WorkspaceFactory(slug="practice")
    with _refused("slug"):
        WorkspaceFactory(slug="practice")


def test_a_dimension_has_a_name_of_its_own_among_its_kind() -> None:
    anxious = DimensionFactory(kind="emotion", name="Anxious")
    with _refused("dimension_name_once"):
        DimensionFactory(workspace=anxious.workspace, kind="emotion", name="Anxious")
    DimensionFactory(workspace=anxious.workspace, kind="tone", name="Anxious")
    DimensionFactory(kind="emotion", name="Anxious")


def test_a_template_has_a_name_of_its_own_in_its_workspace() -> None:
    template = PromptTemplateFactory(name="First")
    with _refused("prompt_template_name_once"):
        PromptTemplateFactory(workspace=template.workspace, name="First")
    PromptTemplateFactory(name="First")


def test_a_template_names_a_dimension_once() -> None:
    template = PromptTemplateFactory()
    row = {
        "workspace": template.workspace,
        "template": template,
        "dimension": DimensionFactory(workspace=template.workspace),
    }
    TemplateApplicability.objects.create(**row)
    with _refused("template_applicability_once"):
        TemplateApplicability.objects.create(**row)


def test_a_user_is_a_member_once() -> None:
    member = MembershipFactory()
    with _refused("membership_once_per_user"):
        MembershipFactory(workspace=member.workspace, user=member.user, role="lead")
    MembershipFactory(user=member.user)


# --- the claim --------------------------------------------------------------------------------------------


def test_generating_needs_a_claim() -> None:
    with _refused("conversation_claim_while_generating"):
        ConversationFactory(status=Status.GENERATING)
    ConversationFactory(status=Status.GENERATING, claim=uuid4())


@pytest.mark.parametrize("status", [status for status in Status if status != Status.GENERATING])
def test_a_claim_is_held_while_generating_alone(status: Status) -> None:
    with _refused("conversation_claim_while_generating"):
        ConversationFactory(status=status, claim=uuid4())


# --- queries in words of the domain -----------------------------------------------------------------------


def test_conversations_are_chosen_by_what_they_are() -> None:
    workspace = WorkspaceFactory()
    template = PromptTemplateFactory(workspace=workspace, tier="scenario")
    for status in Status:
        claim = uuid4() if status == Status.GENERATING else None
        ConversationFactory(workspace=workspace, status=status, claim=claim)
    ConversationFactory(workspace=workspace, template=template, status=Status.ARCHIVED)
    chosen = Conversation.objects.filter(workspace=workspace)
    assert {one.status for one in chosen.live()} == set(Status) - set(NOT_LIVE)
    assert [one.tier for one in chosen.in_tier("scenario")] == ["scenario"]
    assert chosen.in_tier("all").count() == len(Status) + 1


# --- a template's version and history ---------------------------------------------------------------------

CONTENT = {
    "tier": "edge_case",
    "structure": "Another {{persona}}.",
    "system_prompt": "You are somebody else.",
    "variables": [{"name": "city", "type": "text"}],
    "tone": "Brisk",
    "style_notes": "Short sentences.",
    "example_conversation": "Client: Hello.",
    "required_elements": ["next step"],
}
REST = {
    "name": "Renamed",
    "description": "For others.",
    "category": "Debt",
    "quality_threshold": Decimal("7.5"),
    "target_count": 12,
    "active": False,
    "rating": Decimal("4.5"),
    "usage_count": 3,
}


@pytest.mark.parametrize("field", sorted(CONTENT))
def test_a_change_of_content_raises_the_version(field: str) -> None:
    template = PromptTemplateFactory()
    setattr(template, field, CONTENT[field])
    template.save()
    template.refresh_from_db()
    assert template.version == 2


@pytest.mark.parametrize("field", sorted(REST))
def test_any_other_change_does_not(field: str) -> None:
    template = PromptTemplateFactory()
    setattr(template, field, REST[field])
    template.save()
    template.refresh_from_db()
    assert (template.version, getattr(template, field)) == (1, REST[field])


def test_saving_what_is_there_already_does_not_either() -> None:
    template = PromptTemplateFactory()
    template.save()
    assert PromptTemplate.objects.get().version == 1


def test_a_version_is_saved_with_the_fields_that_were_named() -> None:
    template = PromptTemplateFactory()
    template.tone = "Brisk"
    template.save(update_fields=["tone"])
    assert PromptTemplate.objects.get().version == 2
    template.structure = "Changed, but not saved."
    template.save(update_fields=["rating"])
    assert PromptTemplate.objects.get().version == 2


def test_a_version_never_goes_back_when_two_edit_at_once() -> None:
    template = PromptTemplateFactory()
    stale = PromptTemplate.objects.get()
    for tone in ("Warm", "Brisk", "Plain"):
        template.tone = tone
        template.save()
    stale.style_notes = "Short sentences."
    stale.save()
    assert PromptTemplate.objects.get().version == 5


def test_every_change_leaves_a_row_of_history() -> None:
    template = PromptTemplateFactory(structure="First.")
    template.structure = "Second."
    template.save()
    template.description = "For others."
    template.save()
    kept: list[tuple[Any, ...]] = list(template.history.order_by("history_id").values_list("version", "structure"))
    assert kept == [(1, "First."), (2, "Second."), (2, "Second.")]


# --- what goes with what ----------------------------------------------------------------------------------


def test_a_conversation_outlives_what_it_was_made_from() -> None:
    chunk = ChunkFactory()
    made = ConversationFactory(workspace=chunk.workspace, chunk=chunk, document=chunk.document)
    made.template.delete()
    chunk.document.delete()
    made.refresh_from_db()
    assert (made.template, made.chunk, made.document) == (None, None, None)
    assert made.persona == "Careful saver"


def test_a_workspace_takes_everything_of_its_own_with_it() -> None:
    turn = TurnFactory()
    other = TurnFactory()
    Workspace.objects.get(pk=turn.workspace_id).delete()
    assert [one.pk for one in Conversation.objects.all()] == [other.conversation_id]


# --- records stay -----------------------------------------------------------------------------------------

FIRST, SECOND = {"decision": "approve", "by": "mona"}, {"decision": "archive", "by": "olaf"}


@pytest.mark.parametrize(
    "history",
    [[], [SECOND], [SECOND, FIRST], [FIRST | {"by": "olaf"}, SECOND]],
    ids=["gone", "another", "in another order", "edited"],
)
def test_a_review_history_only_grows(history: list[dict[str, str]]) -> None:
    conversation = ConversationFactory(review_history=[FIRST])
    with _refused("review history only grows"):
        Conversation.objects.filter(pk=conversation.pk).update(review_history=history)
    Conversation.objects.filter(pk=conversation.pk).update(review_history=[FIRST, SECOND])


@pytest.mark.parametrize("change", [{"conversation_count": 7}, {"file": "elsewhere.jsonl"}, {"created_by": None}])
def test_the_record_of_an_export_is_not_edited(change: dict[str, Any]) -> None:
    export = ExportFactory(created_by=UserFactory())
    with _refused("neither changed nor deleted"):
        Export.objects.filter(pk=export.pk).update(**change)


def test_the_record_of_an_export_is_not_deleted() -> None:
    export = ExportFactory()
    with _refused("neither changed nor deleted"):
        Export.objects.filter(pk=export.pk).delete()


def test_a_workspace_takes_the_records_of_its_exports_along() -> None:
    export, other = ExportFactory(), ExportFactory()
    export.workspace.delete()
    assert list(Export.objects.all()) == [other]


def test_whoever_exported_stays_on_record() -> None:
    export = ExportFactory(created_by=UserFactory())
    with pytest.raises(ProtectedError):
        export.created_by.delete()

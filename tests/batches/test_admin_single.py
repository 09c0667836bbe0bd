"""*Generate single*: the page, its preview, what it orders, what becomes of that, and who may."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from batches.models import BatchJob
from conversations.models import Conversation, PromptTemplate, TemplateApplicability, Workspace
from convgen.dialogs import TARGET
from convgen.models import User
from tests.admin_pages import browser_of, list_of, member, outsider, page_of, said
from tests.factories import (
    BatchItemFactory,
    ChunkFactory,
    ConversationFactory,
    DimensionFactory,
    PromptTemplateFactory,
    UserFactory,
    WorkspaceFactory,
)
from tests.statuses import put

pytestmark = pytest.mark.django_db

NEW = reverse("admin:batches_generate_single")
VARIABLES = [{"name": "city", "type": "text", "required": True}, {"name": "age", "type": "number", "default": "40"}]


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory()


@pytest.fixture
def template(workspace: Workspace) -> PromptTemplate:
    made: PromptTemplate = PromptTemplateFactory(
        workspace=workspace,
        name="A common question",
        structure="A talk with {{persona}} in {{city}}, aged {{age}}.",
        variables=VARIABLES,
    )
    for kind, name in [("persona", "Careful saver"), ("persona", "Optimist"), ("emotion", "Calm"), ("topic", "Debt")]:
        DimensionFactory(workspace=workspace, kind=kind, name=name)
    DimensionFactory(workspace=workspace, kind="emotion", name="Out of use", active=False)
    return made


def values(template: PromptTemplate, **changes: str) -> dict[str, Any]:
    given = {"template": template.pk, "persona": "Careful saver", "topic": "Debt", "chunk": "topic"}
    return {**given, "variable_city": "Oslo", **changes}


def text(response: Any) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


# --- Choosing


def test_the_template_comes_first_and_only_active_ones_are_offered(curator: Client, template: PromptTemplate) -> None:
    PromptTemplateFactory(workspace=template.workspace, name="Given up", active=False)
    PromptTemplateFactory(name="Of another workspace")
    page = text(curator.get(NEW))
    assert "A common question" in page and "Choose a template" in page
    assert "Given up" not in page and "Of another workspace" not in page
    assert 'name="persona"' not in page


def test_then_what_it_is_meant_for_is_offered_and_its_variables_have_fields(
    curator: Client, template: PromptTemplate
) -> None:
    meant = DimensionFactory(workspace=template.workspace, kind="persona", name="Meant for it")
    TemplateApplicability.objects.create(workspace=template.workspace, template=template, dimension=meant)
    page = text(curator.get(NEW, {"template": template.pk}))
    assert "Meant for it" in page and "Careful saver" not in page
    assert "Calm" in page and "Out of use" not in page, "a kind that nothing was chosen of is offered whole"
    assert 'name="variable_city"' in page and "Left empty, it is: 40." in page
    assert 'name="others"' in page and "The least used passage about the topic" in page


def test_without_a_template_the_page_says_what_to_do_first(curator: Client) -> None:
    page = text(curator.get(NEW))
    assert "There is no active template yet" in page


def test_the_preview_marks_values_and_names_what_is_missing(curator: Client, template: PromptTemplate) -> None:
    page = text(curator.post(NEW, {**values(template, variable_city=""), "preview": "1"}))
    assert '<mark class="value" title="persona">Careful saver</mark>' in page
    assert '<a href="#id_variable_city">city</a>' in page
    assert '<mark class="missing">' in page
    assert not Conversation.objects.exists()
    complete = text(curator.post(NEW, {**values(template), "preview": "1"}))
    assert "Nothing is missing. It will cost about $" in complete and "only simulated" in complete


def test_the_script_is_given_the_preview_alone(curator: Client, template: PromptTemplate) -> None:
    headers = {"HX-Request": "true", "HX-Target": "prompt-preview"}
    answer = text(curator.post(NEW, {**values(template), "preview": "1"}, headers=headers))
    assert "Oslo</mark>" in answer and 'id="preview-said" hx-swap-oob' in answer
    assert "<form" not in answer and "<html" not in answer


def test_another_template_keeps_what_was_chosen(curator: Client, template: PromptTemplate) -> None:
    other = PromptTemplateFactory(workspace=template.workspace, structure="{{persona}}")
    page = text(curator.post(NEW, {**values(template), "template": other.pk, "choose": "1"}))
    assert '<option value="Careful saver" selected>' in page
    assert 'name="variable_city"' not in page
    assert not Conversation.objects.exists()


@pytest.mark.parametrize(
    "query", [{"template": "x"}, {"template": str(uuid4())}, {"from": "x"}, {"from": str(uuid4())}]
)
def test_what_is_not_there_is_not_taken(curator: Client, template: PromptTemplate, query: dict[str, str]) -> None:
    assert 'name="persona"' not in text(curator.get(NEW, query))


# --- Ordering


def test_a_new_conversation_is_ordered_as_a_batch_of_one_that_goes_first(
    curator: Client, template: PromptTemplate
) -> None:
    chunk = ChunkFactory(document__workspace=template.workspace, dimensions={"topics": ["Debt"]})
    response = curator.post(NEW, values(template, others="pet = Rex"))
    made = Conversation.objects.get()
    assert response.url == page_of(made, "making")  # type: ignore[attr-defined]
    assert (made.persona, made.topic, made.template, made.chunk) == ("Careful saver", "Debt", template, chunk)
    assert made.parameters == {"city": "Oslo", "pet": "Rex"}
    assert made.slot, "it takes a place of the plan"
    job = BatchJob.objects.get()
    assert (job.total_items, job.priority, job.name) == (1, "high", f"Generate {made}")
    assert made.created_by == job.created_by


@pytest.mark.parametrize("source", ["none", "another"])
def test_the_source_can_be_chosen(curator: Client, template: PromptTemplate, source: str) -> None:
    ChunkFactory(document__workspace=template.workspace, dimensions={"topics": ["Debt"]})
    other = ChunkFactory(document__workspace=template.workspace)
    curator.post(NEW, values(template, chunk=str(other.pk) if source == "another" else ""))
    made = Conversation.objects.get()
    assert (made.chunk, made.document) == ((other, other.document) if source == "another" else (None, None))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"variable_city": ""}, "The prompt needs a value here."),
        ({"persona": ""}, "The prompt needs a value here."),
        ({"variable_age": "old"}, "age must be a number"),
        ({"emotion": "Out of use"}, "is not one of the available choices"),
        ({"chunk": "x"}, "is not one of the available choices"),
    ],
)
def test_what_is_missing_is_said_beside_its_field_and_nothing_is_ordered(
    curator: Client, template: PromptTemplate, changes: dict[str, str], complaint: str
) -> None:
    page = text(curator.post(NEW, values(template, **changes)))
    (name,) = changes
    place = page.index(f'field-{name}"')
    assert complaint in page[place : place + 400]
    assert "Nothing is generated yet." in page
    assert not Conversation.objects.exists()
    assert not BatchJob.objects.exists()


def test_a_template_that_cannot_be_read_is_refused_in_words(curator: Client, template: PromptTemplate) -> None:
    PromptTemplate.objects.update(structure="{{persona")
    assert "structure, line 1" in text(curator.post(NEW, values(template)))
    assert not Conversation.objects.exists()


def test_another_one_is_made_like_the_last(curator: Client, template: PromptTemplate) -> None:
    last = ConversationFactory(
        workspace=template.workspace, template=template, persona="Optimist", parameters={"city": "Bergen"}
    )
    page = text(curator.get(NEW, {"from": last.pk}))
    assert '<option value="Optimist" selected>' in page and 'value="Bergen"' in page


def test_a_draft_or_one_that_failed_is_changed_and_ordered(curator: Client, template: PromptTemplate) -> None:
    draft = ConversationFactory(workspace=template.workspace, template=template)
    put(draft, "failed", failure_message="Claude is overloaded.")
    address = page_of(draft, "generate")
    page = text(curator.get(address))
    assert "Claude is overloaded." in page and 'name="chunk"' not in page
    response = curator.post(address, {"persona": "Optimist", "variable_city": "Bergen"})
    assert response.url == page_of(draft, "making")  # type: ignore[attr-defined]
    draft.refresh_from_db()
    assert (draft.persona, draft.parameters) == ("Optimist", {"city": "Bergen"})
    assert BatchJob.objects.get().items.get().conversation_id == draft.pk
    assert "no batch works on" in text(curator.post(address, {"persona": "Optimist", "variable_city": "Bergen"}))


def test_what_is_written_is_not_generated_again(curator: Client, workspace: Workspace) -> None:
    written = ConversationFactory(workspace=workspace, status="generated", turn_count=8)
    response = curator.get(page_of(written, "generate"))
    assert response.url == page_of(written)  # type: ignore[attr-defined]
    assert "is written already" in said(response)[0]


# --- What becomes of it


def making(conversation: Conversation) -> str:
    return page_of(conversation, "making")


def polled(client: Client, conversation: Conversation, was: str = "waiting") -> Any:
    return client.get(f"{making(conversation)}?was={was}", headers={"HX-Request": "true", "HX-Target": "progress"})


def test_while_it_waits_it_is_asked_for_every_two_seconds(curator: Client, workspace: Workspace) -> None:
    waiting = ConversationFactory(workspace=workspace)
    BatchItemFactory(conversation=waiting, job__workspace=workspace, job__status="processing", job__total_items=1)
    page = text(curator.get(making(waiting)))
    assert 'hx-trigger="every 2s"' in page and "a worker takes it up in a moment" in page
    put(waiting, "generating", claim=uuid4())
    answer = text(polled(curator, waiting))
    assert 'hx-trigger="every 2s"' in answer and "Claude writes it." in answer
    assert 'id="making-said" hx-swap-oob' in answer, "said aloud, since something new has begun"
    assert "hx-swap-oob" not in text(polled(curator, waiting, was="writing"))


def test_no_worker_for_a_while_is_said(curator: Client, workspace: Workspace) -> None:
    waiting = ConversationFactory(workspace=workspace)
    item = BatchItemFactory(conversation=waiting, job__workspace=workspace, job__status="processing")
    assert "No worker has taken it up" not in text(curator.get(making(waiting)))
    BatchJob.objects.filter(pk=item.job_id).update(created_at="2026-01-01T00:00Z")
    assert "No worker has taken it up for" in text(curator.get(making(waiting)))


def test_a_result_is_read_saved_or_followed_by_another(curator: Client, workspace: Workspace) -> None:
    written = ConversationFactory(workspace=workspace, status="generated", turn_count=8, quality_score="8.4")
    answer = text(polled(curator, written))
    assert "every 2s" not in answer
    assert f"{NEW}?from={written.pk}" in answer
    response = curator.post(making(written), {"do": "save"})
    assert response.url == page_of(written)  # type: ignore[attr-defined]
    assert said(response) == [f"{written} is saved."]


def test_a_failure_says_why_and_is_tried_again_with_all_that_was_chosen(curator: Client, workspace: Workspace) -> None:
    failed = ConversationFactory(workspace=workspace)
    put(failed, "failed", failure_type="overloaded", failure_message="Claude is overloaded. Try again in a while.")
    page = text(curator.get(making(failed)))
    assert "Claude is overloaded. Try again in a while." in page and "Nothing was paid for it." in page
    assert page_of(failed, "generate") in page
    assert curator.post(making(failed), {"do": "again"}).url == making(failed)  # type: ignore[attr-defined]
    assert BatchJob.objects.get().items.get().conversation_id == failed.pk


def test_what_cannot_succeed_as_it_is_asks_for_a_change(curator: Client, workspace: Workspace) -> None:
    failed = ConversationFactory(workspace=workspace)
    put(failed, "failed", failure_type="request_refused", failure_message="Claude does not accept the request.")
    assert "As it is, it would fail again." in text(curator.get(making(failed)))


def test_whoever_ordered_it_may_discard_it_and_the_reason_is_kept(workspace: Workspace) -> None:
    curator = member(workspace, "curator")
    user = User.objects.get(pk=curator.session["_auth_user_id"])
    mine = ConversationFactory(
        workspace=workspace, status="generated", turn_count=8, created_by=user, cost_usd="0.0123", simulated=False
    )
    assert "Discard it" in text(curator.get(making(mine)))
    response = curator.post(making(mine), {"do": "discard", "note": "Too long."})
    assert response.url == list_of(Conversation)  # type: ignore[attr-defined]
    assert "What it cost, $0.0123, was paid." in said(response)[0]
    mine.refresh_from_db()
    assert mine.status == "archived"
    assert mine.review_history[-1]["note"] == "Discarded when it was generated. Too long."


@pytest.mark.parametrize("why", ["another's", "decided on", "approved"])
def test_what_others_have_to_do_with_is_for_reviewers_to_put_away(workspace: Workspace, why: str) -> None:
    curator = member(workspace, "curator")
    user = UserFactory() if why == "another's" else User.objects.get(pk=curator.session["_auth_user_id"])
    made = ConversationFactory(workspace=workspace, status="generated", turn_count=8, created_by=user)
    if why == "decided on":
        Conversation.objects.filter(pk=made.pk).update(review_history=[{"decision": "request_changes", "by": "x"}])
    if why == "approved":
        put(made, "approved")
    response = curator.post(making(made), {"do": "discard"})
    if why == "approved":
        assert "is approved by now: it was not discarded" in said(response)[0]
    else:
        assert response.status_code == 403
        assert member(workspace, "reviewer").post(making(made), {"do": "discard"}).status_code == 302
    made.refresh_from_db()
    assert made.status == ("approved" if why == "approved" else "archived")


def test_a_new_version_leads_to_its_page_and_says_so(curator: Client, workspace: Workspace) -> None:
    first = ConversationFactory(workspace=workspace, status="archived", turn_count=8)
    second = ConversationFactory(
        workspace=workspace, status="generated", turn_count=8, version=2, first_version=first.pk, parent=first
    )
    last_poll = text(polled(curator, second))
    assert "every 2s" not in last_poll and 'was=there" hx-trigger="load"' in last_poll
    assert polled(curator, second, was="there").headers["HX-Redirect"] == page_of(second)
    response = curator.get(making(second))
    assert "Conversation regenerated. Previous version archived." in said(response)


def test_a_page_behind_the_dialog_is_stale(curator: Client, workspace: Workspace) -> None:
    written = ConversationFactory(workspace=workspace, status="generated", turn_count=8)
    response = curator.get(making(written), headers={"HX-Request": "true", "HX-Target": TARGET})
    assert "page-is-stale" in response.headers["HX-Trigger"]
    assert "<html" not in response.content.decode()


# --- The conversation's page


def test_the_page_of_a_draft_shows_what_will_be_asked(curator: Client, template: PromptTemplate) -> None:
    draft = ConversationFactory(workspace=template.workspace, template=template)
    page = text(curator.get(page_of(draft)))
    assert "What Claude will be asked" in page and "Values are missing or wrong: <strong>city</strong>" in page
    assert making(draft) in page and page_of(draft, "generate") in page


def test_the_page_of_what_is_generated_shows_how_far_it_is(curator: Client, workspace: Workspace) -> None:
    busy = ConversationFactory(workspace=workspace)
    put(busy, "generating", claim=uuid4())
    assert f"{making(busy)}?on=page" in text(curator.get(page_of(busy)))
    address = f"{making(busy)}?on=page"
    assert 'hx-trigger="every 2s"' in text(curator.get(address, headers={"HX-Request": "true"}))
    put(busy, "generated", claim=None, turn_count=8)
    assert curator.get(address, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"


# --- Who may


def test_generating_takes_the_permission_to_add_a_batch(workspace: Workspace, template: PromptTemplate) -> None:
    draft = ConversationFactory(workspace=workspace, template=template)
    client = member(workspace, "curator", without=["add_batchjob"])
    for address in (NEW, page_of(draft, "generate")):
        assert client.get(address).status_code == 403
        assert client.post(address, values(template)).status_code == 403
    assert client.post(making(draft), {"do": "again"}).status_code == 403
    assert page_of(draft, "generate") not in text(client.get(page_of(draft)))
    assert not BatchJob.objects.exists()


def test_others_do_not_come_here(workspace: Workspace, template: PromptTemplate) -> None:
    draft = ConversationFactory(workspace=workspace, template=template)
    assert browser_of(UserFactory()).get(NEW).status_code == 302, "to the page of signing in"
    assert outsider().get(NEW).status_code == 403
    stranger = member(WorkspaceFactory(), "curator")
    for address in (page_of(draft, "generate"), making(draft)):
        assert stranger.get(address).url == reverse("admin:index")  # type: ignore[attr-defined]
    assert 'name="persona"' not in text(stranger.get(NEW, {"template": template.pk}))
    assert 'name="persona"' not in text(stranger.get(NEW, {"from": draft.pk}))


def test_a_form_that_is_sent_twice_makes_one_conversation(curator: Client, template: PromptTemplate) -> None:
    key = curator.get(NEW, {"template": str(template.pk)}).context["door"].key
    assert curator.post(NEW, values(template, key=str(key))).status_code == 302
    again = curator.post(NEW, values(template, key=str(key)))
    made = Conversation.objects.get()
    assert made.pk == key and BatchJob.objects.count() == 1
    assert f"{made} was made with this form already" in text(again)
    assert curator.post(NEW, values(template, key=str(again.context["door"].key))).status_code == 302
    assert Conversation.objects.count() == 2


def test_a_key_that_is_none_is_left_alone(curator: Client, template: PromptTemplate) -> None:
    assert curator.post(NEW, values(template, key="none")).status_code == 302
    assert Conversation.objects.count() == 1

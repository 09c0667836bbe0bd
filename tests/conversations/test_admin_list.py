"""The list of conversations: its filters and chips, its menus, and how what is done to many is confirmed."""

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations import quality
from conversations.admin import confirming
from conversations.admin.deciding import OUTDATED
from conversations.choices import DimensionKind
from conversations.models import Conversation, Workspace
from tests.admin_pages import confirmed, list_of, listed, member, queries_of, said
from tests.factories import ChunkFactory, ConversationFactory, DimensionFactory, PromptTemplateFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db


def waiting(workspace: Workspace, **values: Any) -> Conversation:
    values = {"status": "pending_review", "quality_score": "5.0", **values}
    made: Conversation = ConversationFactory(workspace=workspace, **values)
    return made


def shown(client: Client, **filters: Any) -> str:
    response = client.get(list_of(Conversation, **filters))
    assert response.status_code == 200
    return str(response.content.decode())


def chips(client: Client, **filters: Any) -> dict[str, str]:
    """What the chips say, and the query of the list without each."""
    found = client.get(list_of(Conversation, **filters)).context["cl"].chips
    return {chip.words: urlsplit(chip.without).query for chip in found}


# --- Filters


@pytest.mark.parametrize("kind", DimensionKind.values)
def test_it_is_filtered_by_every_dimension_also_by_words_that_went_out_of_use(
    reviewer: Client, workspace: Workspace, kind: str
) -> None:
    mine = ConversationFactory(workspace=workspace, **{kind: "Wistful"})
    ConversationFactory(workspace=workspace, **{kind: "Calm"})
    assert listed(reviewer, Conversation, **{kind: "Wistful"}) == {mine.pk}
    assert '<option value="Wistful" selected>' in shown(reviewer, **{kind: "Wistful"})
    DimensionFactory(workspace=workspace, kind=kind, name="Calm")
    assert '<option value="Calm">' in shown(reviewer)


@pytest.mark.parametrize(
    ("bounds", "scores"),
    [
        ({"quality_from": "6.0"}, {"6.0", "8.4"}),
        ({"quality_to": "6"}, {"3.1", "6.0"}),
        ({"quality_from": "3.2", "quality_to": "8.3"}, {"6.0"}),
        ({"quality_from": "11"}, set()),
        ({"quality_from": "much"}, set()),
        ({"quality_to": "NaN"}, set()),
        ({"quality_from": "1e999999"}, set()),
    ],
)
def test_a_range_of_quality_has_ends_of_its_own(
    reviewer: Client, workspace: Workspace, bounds: dict[str, str], scores: set[str]
) -> None:
    for score in ("3.1", "6.0", "8.4", None):
        ConversationFactory(workspace=workspace, quality_score=score)
    found = Conversation.objects.filter(pk__in=listed(reviewer, Conversation, **bounds))
    assert {str(each.quality_score) for each in found} == scores


def created(workspace: Workspace, moment: datetime) -> Conversation:
    made: Conversation = ConversationFactory(workspace=workspace)
    Conversation.objects.filter(pk=made.pk).update(created_at=moment)
    return made


@pytest.mark.parametrize(("wanted", "number"), [("today", 1), ("week", 2), ("nonsense", 0)])
def test_it_is_filtered_by_when_it_was_created(
    reviewer: Client, workspace: Workspace, wanted: str, number: int
) -> None:
    for days in (0, 6, 7, 400):
        created(workspace, timezone.now() - timedelta(days=days))
    assert len(listed(reviewer, Conversation, created=wanted)) == number


def test_this_month_begins_on_its_first_day(reviewer: Client, workspace: Workspace) -> None:
    first = timezone.localtime().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    mine = created(workspace, first)
    created(workspace, first - timedelta(seconds=1))
    assert listed(reviewer, Conversation, created="month") == {mine.pk}


@pytest.mark.parametrize(
    ("bounds", "number"),
    [
        ({"created_from": "2026-03-02"}, 2),
        ({"created_to": "2026-03-02"}, 2),
        ({"created_from": "2026-03-02", "created_to": "2026-03-02"}, 1),
        ({"created_from": "yesterday"}, 0),
        ({"created_to": "9999-12-31"}, 0),
        ({"created_from": "0001-01-01"}, 0),
    ],
)
def test_a_span_of_dates_includes_both_days(
    reviewer: Client, workspace: Workspace, bounds: dict[str, str], number: int
) -> None:
    for day in (1, 2, 3):
        created(workspace, timezone.make_aware(datetime(2026, 3, day, 23, 59)))
    assert len(listed(reviewer, Conversation, **bounds)) == number


def test_it_is_filtered_by_who_wrote_it(reviewer: Client, workspace: Workspace) -> None:
    simulated = ConversationFactory(workspace=workspace, simulated=True)
    real = ConversationFactory(workspace=workspace)
    assert listed(reviewer, Conversation, simulated__exact="1") == {simulated.pk}
    assert listed(reviewer, Conversation, simulated__exact="0") == {real.pk}
    assert listed(reviewer, Conversation, simulated__exact="perhaps") == set()


def test_it_is_filtered_by_template_and_source(reviewer: Client, workspace: Workspace) -> None:
    chunk = ChunkFactory(document__workspace=workspace)
    mine = ConversationFactory(workspace=workspace, chunk=chunk)
    ConversationFactory(workspace=workspace)
    assert listed(reviewer, Conversation, template__id__exact=mine.template_id) == {mine.pk}
    assert listed(reviewer, Conversation, chunk__id__exact=chunk.pk) == {mine.pk}
    assert f"Source: {chunk}" in chips(reviewer, chunk__id__exact=chunk.pk)
    assert listed(reviewer, Conversation, template__id__exact="nonsense") == set()


def test_another_workspaces_templates_and_sources_are_not_named(reviewer: Client, workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace)
    foreign, chunk = PromptTemplateFactory(name="Secret plans"), ChunkFactory(document__title="Secret book")
    page = shown(reviewer, template__id__exact=foreign.pk, chunk__id__exact=chunk.pk)
    assert "Secret" not in page


def test_each_filter_that_is_set_is_a_chip_that_takes_it_away_alone(reviewer: Client, workspace: Workspace) -> None:
    waiting(workspace)
    found = chips(reviewer, quality="weak", quality_from="2", status__exact="pending_review", q="saver", p="2")
    assert list(found) == ["Search: saver", "Status: Pending review", "Quality: Weak: below 6.0", "Quality from: 2"]
    left = parse_qs(found["Quality: Weak: below 6.0"])
    assert left == {"quality_from": ["2"], "status__exact": ["pending_review"], "q": ["saver"]}
    assert parse_qs(found["Search: saver"]).keys() == {"quality", "quality_from", "status__exact"}


def test_what_cannot_be_read_is_said_in_its_chip(reviewer: Client, workspace: Workspace) -> None:
    waiting(workspace)
    assert list(chips(reviewer, quality_from="much")) == ["Quality from: “much” is not a number from 0 to 10"]


def test_what_the_panel_leaves_empty_stays_out_of_the_address(reviewer: Client) -> None:
    response = reviewer.get(list_of(Conversation, q="", status__exact="draft", tier__exact="", o="4"))
    assert response.status_code == 302
    assert parse_qs(urlsplit(response["Location"]).query) == {"status__exact": ["draft"], "o": ["4"]}


def test_a_search_keeps_the_order_and_nul_harms_nobody(reviewer: Client, workspace: Workspace) -> None:
    waiting(workspace)
    assert '<input type="hidden" name="o" value="-4">' in shown(reviewer, o="-4")
    assert listed(reviewer, Conversation, persona="\x00") == set()


def test_a_workspace_is_chosen_by_those_who_look_at_all(admin_client: Client, workspace: Workspace) -> None:
    mine = waiting(workspace)
    waiting(WorkspaceFactory())
    assert listed(admin_client, Conversation, workspace__id__exact=workspace.pk) == {mine.pk}
    assert 'name="workspace__id__exact"' in shown(admin_client)
    assert 'name="workspace__id__exact"' not in shown(member(workspace, "reviewer"))


def test_facets_are_not_counted(reviewer: Client, workspace: Workspace) -> None:
    waiting(workspace)
    counts = [query for query in queries_of(reviewer, list_of(Conversation, _facets="True")) if "COUNT(" in query]
    assert len(counts) == 1


# --- Columns


@pytest.mark.parametrize(("score", "kind"), [("5.9", "weak"), ("6.0", "fair"), ("7.9", "fair"), ("8.0", "good")])
def test_a_score_shows_its_range_by_colour_and_in_words(
    reviewer: Client, workspace: Workspace, score: str, kind: str
) -> None:
    waiting(workspace, quality_score=score)
    page = shown(reviewer)
    assert f'class="score score-{kind}"' in page
    assert f">{score}<" in page
    assert f"of 10, {kind}" in page


def test_a_score_leads_to_its_breakdown_and_the_page_that_has_it_in_full(
    reviewer: Client, workspace: Workspace
) -> None:
    said = [quality.Turn("user", "What comes first?"), quality.Turn("assistant", "A plan.")]
    report = quality.assess(quality.Sample(turns=tuple(said), tier="template"))
    made = waiting(workspace, quality_score=report.score, quality_metrics=report.as_json())
    url = reverse("admin:conversations_conversation_quality", args=[made.pk])
    assert f'data-breakdown="{url}"' in shown(reviewer)
    note = reviewer.get(url).content.decode()
    for component in made.quality_metrics["components"]:
        assert component["label"] in note
    assert member(WorkspaceFactory(), "reviewer").get(url).status_code == 404


def test_title_and_what_it_was_made_with_stand_together(reviewer: Client, workspace: Workspace) -> None:
    waiting(workspace, title="The first paycheck", persona="Nurse", emotion="", topic="Rent")
    page = shown(reviewer)
    assert "The first paycheck" in page
    assert '<span>Nurse</span><span aria-hidden="true">&nbsp;·</span> <span>Rent</span>' in page


@pytest.mark.parametrize("column", ["readable_id", "state", "score", "tier", "created"])
def test_a_column_is_sorted_by_one_way_and_then_the_other(reviewer: Client, workspace: Workspace, column: str) -> None:
    waiting(workspace)
    place = reviewer.get(list_of(Conversation)).context["cl"].list_display.index(column)
    assert f'href="?o={place}"' in shown(reviewer)
    page = shown(reviewer, o=place)
    assert f'href="?o=-{place}"' in page
    assert page.count("aria-sort") == 1
    assert 'aria-sort="descending"' in shown(reviewer, o=f"-{place}")


def test_it_takes_the_same_queries_for_many_as_for_few(reviewer: Client, workspace: Workspace) -> None:
    waiting(workspace)
    few = len(queries_of(reviewer, list_of(Conversation)))
    for _ in range(10):
        waiting(workspace, template=PromptTemplateFactory(workspace=workspace))
        DimensionFactory(workspace=workspace)
    assert len(queries_of(reviewer, list_of(Conversation))) == few


# --- Nothing to show


def test_without_conversations_it_says_what_to_do_first(workspace: Workspace) -> None:
    page = shown(member(workspace, "curator"))
    assert "No conversations yet" in page
    assert "Look at the" in page
    assert reverse("admin:batches_batchjob_plan") in page
    assert reverse("admin:batches_batchjob_plan") not in shown(member(workspace, "operator"))


def test_filters_that_find_nothing_can_be_cleared(reviewer: Client, workspace: Workspace) -> None:
    waiting(workspace)
    page = shown(reviewer, status__exact="approved", q="nothing like it")
    assert "No conversation matches" in page
    assert "Clear all" in page
    assert "No conversations yet" not in page
    assert "No conversations yet" in shown(member(WorkspaceFactory(), "reviewer"), status__exact="approved")


# --- A row's menu


def menu_of(page: str) -> str:
    return page.partition('<details class="menu"><summary class="button quiet small"')[2].partition("</details>")[0]


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        ("pending_review", {"Open", "Regenerate", "Approve", "Request changes", "Reject", "Archive"}),
        ("draft", {"Open", "Generate", "Archive"}),
        ("failed", {"Open", "Generate", "Archive"}),
        ("approved", {"Open", "Regenerate", "Archive"}),
        ("archived", {"Open"}),
    ],
)
def test_a_rows_menu_offers_what_its_status_allows(
    reviewer: Client, workspace: Workspace, status: str, offered: set[str]
) -> None:
    ConversationFactory(workspace=workspace, status=status)
    words = ("Open", "Generate", "Regenerate", "Approve", "Request changes", "Reject", "Archive")
    menu = menu_of(shown(reviewer))
    assert {word for word in words if f">{word}<" in menu.replace("</svg>", "</svg>>")} == offered


def test_a_rows_menu_offers_what_the_person_may(workspace: Workspace) -> None:
    waiting(workspace)
    menu = menu_of(shown(member(workspace, "operator")))
    assert "Open" in menu
    assert "Approve" not in menu
    assert "Regenerate" not in menu


def test_one_is_approved_at_once_from_its_menu(reviewer: Client, workspace: Workspace) -> None:
    made, other = waiting(workspace), waiting(workspace)
    data = {"one": f"approve {made.pk}", "_selected_action": [other.pk]}
    assert said(reviewer.post(list_of(Conversation), data)) == ["1 conversation is now approved."]
    made.refresh_from_db()
    other.refresh_from_db()
    assert (made.status, other.status) == ("approved", "pending_review")


def test_rejecting_one_from_its_menu_asks_first_and_leads_back_to_the_list_as_it_was(
    reviewer: Client, workspace: Workspace
) -> None:
    made = waiting(workspace)
    url = reverse("admin:conversations_conversation_confirm", args=[made.pk, "reject"])
    assert f"{url}?_changelist_filters=status__exact%3Dpending_review" in shown(
        reviewer, status__exact="pending_review"
    )
    response = reviewer.get(url, {"_changelist_filters": "status__exact=pending_review"})
    back = list_of(Conversation, status__exact="pending_review")
    assert f'action="{back}"' in response.content.decode()
    data = {
        "action": "reject",
        "_selected_action": [made.pk],
        "agreed": response.context["asked"].fingerprint,
        "note": "Too short.",
    }
    assert reviewer.post(back, data)["Location"] == back
    made.refresh_from_db()
    assert (made.status, made.review_history[0]["note"]) == ("rejected", "Too short.")


def test_a_menus_page_takes_the_permission_and_the_workspace(workspace: Workspace) -> None:
    made = waiting(workspace)
    url = reverse("admin:conversations_conversation_confirm", args=[made.pk, "reject"])
    assert member(workspace, "curator").get(url).status_code == 403
    assert member(WorkspaceFactory(), "reviewer").get(url).status_code == 404
    made.refresh_from_db()
    assert made.status == "pending_review"


# --- Many at once


def asked_for(client: Client, action: str, rows: list[Conversation], **fields: Any) -> Any:
    data = {"action": action, "_selected_action": [row.pk for row in rows], **fields}
    return client.post(list_of(Conversation), data)


def test_nothing_is_done_before_it_is_confirmed(reviewer: Client, workspace: Workspace) -> None:
    made, draft = waiting(workspace), ConversationFactory(workspace=workspace)
    response = asked_for(reviewer, "approve", [made, draft])
    page = response.content.decode()
    assert f"Approve {made.conversation_id}?" in page
    assert "Drafts: nothing has been written yet." in page
    assert draft.conversation_id in page
    assert f'<input type="hidden" name="_selected_action" value="{made.pk}">' in page
    made.refresh_from_db()
    assert made.status == "pending_review"


def test_what_has_changed_since_it_was_shown_is_shown_again(reviewer: Client, workspace: Workspace) -> None:
    first, second = waiting(workspace), waiting(workspace)
    agreed = asked_for(reviewer, "archive", [first, second]).context["asked"].fingerprint
    Conversation.objects.filter(pk=second.pk).update(status="archived")
    response = asked_for(reviewer, "archive", [first, second], agreed=agreed)
    assert "Some of these have changed since you chose them." in response.content.decode()
    first.refresh_from_db()
    assert first.status == "pending_review"


def test_a_text_that_was_changed_after_it_was_shown_is_left_out_and_named(
    reviewer: Client, workspace: Workspace
) -> None:
    first, second = waiting(workspace), waiting(workspace)
    asked = asked_for(reviewer, "approve", [first, second]).context["asked"]
    assert f'<input type="hidden" name="seen" value="{asked.moment}">' in confirmation_page(
        asked_for(reviewer, "approve", [first, second])
    )
    second.save()  # as by somebody else
    carried = {"agreed": asked.fingerprint, "seen": asked.moment}
    again = asked_for(reviewer, "approve", [first, second], **carried).context["asked"]
    assert (again.taken, again.refused) == ([str(first)], {str(second): OUTDATED})
    assert statuses(first, second) == ["pending_review", "pending_review"]
    carried = {"agreed": again.fingerprint, "seen": again.moment}
    told = said(asked_for(reviewer, "approve", [first, second], **carried))
    assert told[0] == "1 conversation is now approved."
    assert told[1].startswith(f"1 left unchanged: {second} has been changed since you read it.")
    assert statuses(first, second) == ["approved", "pending_review"]


def test_a_change_that_was_under_way_when_it_was_shown_is_noticed(reviewer: Client, workspace: Workspace) -> None:
    """It was begun before the newest change that the page knew, and ended after."""
    first, second = waiting(workspace), waiting(workspace)
    asked = asked_for(reviewer, "approve", [first, second]).context["asked"]
    Conversation.objects.filter(pk=first.pk).update(updated_at=first.updated_at + timedelta(microseconds=1))
    carried = {"agreed": asked.fingerprint, "seen": (second.updated_at + timedelta(seconds=9)).isoformat()}
    assert "Some of these have changed" in confirmation_page(asked_for(reviewer, "approve", [first, second], **carried))
    assert statuses(first, second) == ["pending_review", "pending_review"]


def test_the_menu_of_a_row_approves_what_the_list_showed(reviewer: Client, workspace: Workspace) -> None:
    made = waiting(workspace)
    button = re.search(r'name="one" value="(approve [^"]+)"', shown(reviewer))
    assert button
    made.save()  # as by somebody else
    told = said(reviewer.post(list_of(Conversation), {"one": button[1]}))
    assert told == [
        f"1 left unchanged: {made} has been changed since you read it. Read it again, then decide.",
    ]
    assert statuses(made) == ["pending_review"]
    button = re.search(r'name="one" value="(approve [^"]+)"', shown(reviewer))
    assert button
    assert said(reviewer.post(list_of(Conversation), {"one": button[1]})) == ["1 conversation is now approved."]


@pytest.mark.parametrize("moment", ["yesterday", "2026-11-25"])
def test_a_moment_that_cannot_be_read_approves_nothing(reviewer: Client, workspace: Workspace, moment: str) -> None:
    made = waiting(workspace)
    reviewer.post(list_of(Conversation), {"one": f"approve {made.pk} {moment}"})
    assert statuses(made) == ["pending_review"]


def confirmation_page(response: Any) -> str:
    return str(response.content.decode())


def statuses(*rows: Conversation) -> list[str]:
    for row in rows:
        row.refresh_from_db()
    return [row.status for row in rows]


def test_a_note_for_many_is_in_the_history_of_each(reviewer: Client, workspace: Workspace) -> None:
    rows = [waiting(workspace), waiting(workspace)]
    data = {"action": "request_changes", "_selected_action": [row.pk for row in rows]}
    told = said(confirmed(reviewer, list_of(Conversation), data, note="Name the fee."))
    assert told == ["2 conversations now need revision."]
    notes = [row.review_history[0]["note"] for row in Conversation.objects.all()]
    assert notes == ["Name the fee.", "Name the fee."]


def test_whoever_cancels_finds_her_choice_still_ticked_once(reviewer: Client, workspace: Workspace) -> None:
    made, other = waiting(workspace), waiting(workspace)
    back = list_of(Conversation, status__exact="pending_review")
    data = {"action": "archive", "_selected_action": [made.pk], "agreed": "x", "cancel": "yes"}
    assert reviewer.post(back, data)["Location"] == back
    ticked = f'value="{made.pk}" aria-label="Choose {made}" checked'
    page = reviewer.get(back).content.decode()
    assert ticked in page
    assert f'value="{other.pk}" aria-label="Choose {other}">' in page
    assert ticked not in reviewer.get(back).content.decode()
    made.refresh_from_db()
    assert made.status == "pending_review"


def test_all_that_the_list_holds_can_be_meant_without_a_tick(reviewer: Client, workspace: Workspace) -> None:
    for _ in range(3):
        waiting(workspace)
    draft = ConversationFactory(workspace=workspace)
    url = list_of(Conversation, status__exact="pending_review")
    told = said(confirmed(reviewer, url, {"action": "archive", "select_across": "1"}))
    assert told == ["3 conversations are now archived."]
    draft.refresh_from_db()
    assert draft.status == "draft"


@pytest.mark.parametrize("keys", [[], ["nonsense"], ["01939a52-7f00-7cc2-9f6a-3f8f6b1f2a14"]])
def test_without_a_choice_it_says_how_to_choose(reviewer: Client, workspace: Workspace, keys: list[str]) -> None:
    waiting(workspace)
    response = reviewer.post(list_of(Conversation), {"action": "archive", "_selected_action": keys})
    assert said(response)[0].startswith("Choose conversations first")


def test_another_workspaces_conversations_are_not_touched(reviewer: Client) -> None:
    foreign = waiting(WorkspaceFactory())
    assert said(asked_for(reviewer, "archive", [foreign]))[0].startswith("Choose conversations first")
    foreign.refresh_from_db()
    assert foreign.status == "pending_review"


def test_of_very_many_the_first_are_listed_and_the_others_counted(
    reviewer: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirming, "LISTED", 2)
    rows = [waiting(workspace) for _ in range(3)] + [ConversationFactory(workspace=workspace) for _ in range(3)]
    page = asked_for(reviewer, "approve", rows).content.decode()
    assert page.count("and 1 more") == 2


def test_bad_filters_of_a_posted_list_lead_to_the_list(reviewer: Client, workspace: Workspace) -> None:
    waiting(workspace)
    url = list_of(Conversation, nonsense="1")
    assert reviewer.post(url, {"action": "archive", "select_across": "1"}).status_code == 302


def test_who_sees_no_conversations_sees_no_list(workspace: Workspace) -> None:
    client = member(workspace, "curator", without=["view_conversation", "change_conversation"])
    assert client.get(list_of(Conversation)).status_code == 403
    assert client.post(list_of(Conversation), {"action": "approve"}).status_code == 403


def test_in_the_dialog_the_confirmation_leaves_it_for_the_list(reviewer: Client, workspace: Workspace) -> None:
    made = waiting(workspace)
    url = reverse("admin:conversations_conversation_confirm", args=[made.pk, "archive"])
    headers = {"HX-Request": "true", "HX-Target": "dialog-body"}
    page = reviewer.get(url, headers=headers).content.decode()
    assert "<html" not in page
    assert "data-close" in page
    agreed = reviewer.get(url).context["asked"].fingerprint
    data = {"action": "archive", "_selected_action": [made.pk], "agreed": agreed}
    response = reviewer.post(list_of(Conversation), data, headers=headers)
    assert response["HX-Redirect"] == list_of(Conversation)


@pytest.mark.parametrize("action", ["reject", "request_changes", "archive"])
def test_a_rows_own_button_does_nothing_unasked_but_approve(
    reviewer: Client, workspace: Workspace, action: str
) -> None:
    mine = waiting(workspace)
    response = reviewer.post(list_of(Conversation), {"one": f"{action} {mine.pk}"})
    assert response.context["keys"] == [mine.pk] and response.context["asked"].taken == [str(mine)]
    mine.refresh_from_db()
    assert mine.status == "pending_review"
    assert "is now approved" in said(reviewer.post(list_of(Conversation), {"one": f"approve {mine.pk}"}))[0]


def test_an_export_is_asked_about_in_any_case(workspace: Workspace) -> None:
    mine = waiting(workspace)
    response = member(workspace, "lead").post(list_of(Conversation), {"one": f"export {mine.pk}"})
    assert response.context["asked"].taken == [str(mine)]

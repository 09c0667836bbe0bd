"""The coverage plan: which conversations are missing, and the drafts that fill the gaps."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from math import prod

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.choices import NOT_LIVE, DimensionKind, Status, Tier
from conversations.coverage import Gap, Used, fill_gaps, gaps, standing
from conversations.models import Conversation, Dimension, PromptTemplate, TemplateApplicability, Workspace
from conversations.starter.load import load_starter
from convgen.tenancy import workspace_scope
from tests.factories import (
    ChunkFactory,
    ConversationFactory,
    DimensionFactory,
    DocumentFactory,
    PromptTemplateFactory,
    UserFactory,
    WorkspaceFactory,
)
from tests.statuses import put

pytestmark = pytest.mark.django_db

KINDS = [kind.value for kind in DimensionKind]


@pytest.fixture
def workspace() -> Workspace:
    """Three personas, three emotions, four topics, two intents and two tones; no template yet."""
    workspace: Workspace = WorkspaceFactory()
    for kind, number in (("persona", 3), ("emotion", 3), ("topic", 4), ("intent", 2), ("tone", 2)):
        for position in range(number):
            DimensionFactory(workspace=workspace, kind=kind, name=f"{kind} {position}", position=position)
    return workspace


def _planned(found: Sequence[Gap]) -> list[dict[str, str]]:
    return [{kind: dimension.name for kind, dimension in gap.values.items()} for gap in found]


def _spread(counts: Counter[object]) -> int:
    return max(counts.values()) - min(counts.values())


# --- how many -----------------------------------------------------------------------------------------------


def test_the_starter_plan_lacks_90_conversations_over_three_tiers(starter: Workspace) -> None:
    found = gaps(starter)
    assert Counter(gap.template.tier for gap in found) == {"template": 30, "scenario": 40, "edge_case": 20}
    assert len({gap.slot for gap in found}) == 90
    assert [len(gaps(starter, tier)) for tier in Tier] == [30, 40, 20]


def test_the_same_data_give_the_same_plan(starter: Workspace) -> None:
    assert _planned(gaps(starter)) == _planned(gaps(starter))
    assert [gap.slot for gap in gaps(starter)] == [gap.slot for gap in gaps(starter)]


def test_filling_the_gaps_leaves_none(starter: Workspace) -> None:
    drafts = fill_gaps(starter)
    assert len(drafts) == Conversation.objects.filter(workspace=starter, status=Status.DRAFT).count() == 90
    assert gaps(starter) == []
    assert fill_gaps(starter) == []


def test_one_tier_may_be_filled_alone(starter: Workspace) -> None:
    drafts = fill_gaps(starter, Tier.EDGE_CASE)
    assert {draft.tier for draft in drafts} == {"edge_case"}
    assert len(gaps(starter)) == 70


def test_a_draft_carries_what_was_planned(workspace: Workspace) -> None:
    template = PromptTemplateFactory(workspace=workspace, tier="scenario", category="Debt", target_count=2, version=4)
    curator = UserFactory()
    planned = gaps(workspace)
    drafts = fill_gaps(workspace, created_by=curator)
    assert [draft.conversation_id for draft in drafts] == ["SCN-0001", "SCN-0002"]
    for draft, gap in zip(drafts, planned, strict=True):
        draft.refresh_from_db()
        assert (draft.template, draft.template_version, draft.category) == (template, 4, "Debt")
        assert (draft.slot, draft.created_by) == (gap.slot, curator)
        assert {kind: getattr(draft, kind) for kind in KINDS} == {kind: gap.values[kind].name for kind in KINDS}


def test_a_workspace_without_templates_lacks_nothing(workspace: Workspace) -> None:
    assert gaps(workspace) == []
    assert fill_gaps(workspace) == []


def test_another_workspace_is_left_alone(workspace: Workspace) -> None:
    PromptTemplateFactory(target_count=3)
    assert gaps(workspace) == []


# --- what is missing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", NOT_LIVE)
def test_what_was_put_away_is_a_gap_again_and_the_same_one(workspace: Workspace, status: Status) -> None:
    PromptTemplateFactory(workspace=workspace, target_count=7)
    drafts = fill_gaps(workspace)
    put(drafts[3], status)
    (again,) = fill_gaps(workspace)
    assert {kind: getattr(again, kind) for kind in KINDS[:3]} == {kind: getattr(drafts[3], kind) for kind in KINDS[:3]}
    assert again.conversation_id == "TPL-0008"


def test_a_failed_conversation_still_fills_its_place(workspace: Workspace) -> None:
    PromptTemplateFactory(workspace=workspace, target_count=2)
    draft = fill_gaps(workspace)[0]
    put(draft, Status.FAILED)
    assert gaps(workspace) == []


def test_conversations_outside_the_plan_fill_no_place_but_are_counted(workspace: Workspace) -> None:
    template = PromptTemplateFactory(workspace=workspace, target_count=3)
    for _ in range(2):
        ConversationFactory(workspace=workspace, template=template, slot="", persona="persona 0", topic="topic 0")
    found = gaps(workspace)
    assert len(found) == 3
    assert [one["persona"] for one in _planned(found)][:2] == ["persona 1", "persona 2"]


def test_a_smaller_target_asks_for_nothing_more(workspace: Workspace) -> None:
    template = PromptTemplateFactory(workspace=workspace, target_count=5)
    fill_gaps(workspace)
    template.target_count = 2
    template.save()
    assert gaps(workspace) == []
    template.target_count = 6
    template.save()
    assert len(gaps(workspace)) == 1


# --- who applies --------------------------------------------------------------------------------------------


def _restrict(template: PromptTemplate, *dimensions: Dimension) -> None:
    for dimension in dimensions:
        TemplateApplicability.objects.create(workspace=template.workspace, template=template, dimension=dimension)


def test_a_template_takes_the_values_that_it_names_and_all_of_the_kinds_that_it_does_not(
    workspace: Workspace,
) -> None:
    template = PromptTemplateFactory(workspace=workspace, target_count=12)
    _restrict(
        template,
        Dimension.objects.get(name="persona 1"),
        Dimension.objects.get(name="topic 2"),
        Dimension.objects.get(name="topic 3"),
    )
    planned = _planned(gaps(workspace))
    assert {one["persona"] for one in planned} == {"persona 1"}
    assert {one["topic"] for one in planned} == {"topic 2", "topic 3"}
    assert {one["emotion"] for one in planned} == {"emotion 0", "emotion 1", "emotion 2"}


def test_the_starter_plan_keeps_to_what_its_templates_name(starter: Workspace) -> None:
    for gap in gaps(starter):
        for kind in KINDS[:3]:
            named = {dimension for dimension in gap.template.applies_to.all() if dimension.kind == kind}
            assert not named or gap.values[kind] in named


def test_an_inactive_value_is_planned_with_no_more(workspace: Workspace) -> None:
    PromptTemplateFactory(workspace=workspace, target_count=6)
    Dimension.objects.filter(name="emotion 1").update(active=False)
    assert {one["emotion"] for one in _planned(gaps(workspace))} == {"emotion 0", "emotion 2"}


def test_an_inactive_template_lacks_nothing(workspace: Workspace) -> None:
    PromptTemplateFactory(workspace=workspace, target_count=6, active=False)
    assert gaps(workspace) == []


def test_a_workspace_without_emotions_is_planned_without_them(workspace: Workspace) -> None:
    PromptTemplateFactory(workspace=workspace, target_count=3)
    Dimension.objects.filter(kind="emotion").delete()
    drafts = fill_gaps(workspace)
    assert [draft.emotion for draft in drafts] == ["", "", ""]
    assert len({draft.slot for draft in drafts}) == 3
    assert gaps(workspace) == []


def test_a_workspace_without_any_dimension_still_has_its_places() -> None:
    template = PromptTemplateFactory(target_count=3)
    assert len(fill_gaps(template.workspace)) == 3
    assert gaps(template.workspace) == []


# --- how evenly ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [5, 14, 17, 36, 50, 75])
def test_values_and_pairs_are_covered_evenly(workspace: Workspace, target: int) -> None:
    PromptTemplateFactory(workspace=workspace, target_count=target)
    planned = _planned(gaps(workspace))
    for kind, number in (("persona", 3), ("emotion", 3), ("topic", 4), ("intent", 2), ("tone", 2)):
        counts: Counter[object] = Counter(one[kind] for one in planned)
        assert len(counts) == min(number, target)
        assert _spread(counts) <= (1 if kind in ("persona", "intent", "tone") else 2), counts
    for one_kind, other_kind in combinations(KINDS[:3], 2):
        possible = [
            (one.name, other.name)
            for one in Dimension.objects.filter(kind=one_kind)
            for other in Dimension.objects.filter(kind=other_kind)
        ]
        pairs: Counter[object] = Counter(dict.fromkeys(possible, 0))
        pairs.update((one[one_kind], one[other_kind]) for one in planned)
        assert _spread(pairs) <= 2, pairs


@pytest.mark.parametrize(
    "sizes", [(2, 3, 4), (3, 3, 3), (4, 5, 3), (4, 7, 4), (5, 2, 7), (6, 6, 6), (6, 2, 10)], ids=str
)
def test_whatever_the_numbers_values_are_even_and_pairs_broad(sizes: tuple[int, int, int]) -> None:
    """Of few values and many conversations, of many and few, and where one number divides another or does not.

    Every value in turn and every pair once is not always possible at the same time. No combination comes twice before
    each has come once, which decides in between: in 1,100 plans of such sizes, 99 % of the possible pairs on average.
    """
    names = [[f"{kind} {number}" for number in range(size)] for kind, size in zip(KINDS[:3], sizes, strict=True)]
    for target in (5, 12, 20, 36, 60, 100):
        template = PromptTemplateFactory(target_count=target)
        for kind, of_kind in zip(KINDS[:3], names, strict=True):
            for name in of_kind:
                DimensionFactory(workspace=template.workspace, kind=kind, name=name)
        planned = [tuple(one[kind] for kind in KINDS[:3]) for one in _planned(gaps(template.workspace))]
        assert len(set(planned)) == min(target, prod(sizes))
        for position, of_kind in enumerate(names):
            counts: Counter[object] = Counter(dict.fromkeys(of_kind, 0))
            counts.update(one[position] for one in planned)
            assert _spread(counts) <= (1 if position == 0 else 2 + target // 50), (target, counts)
        for one, other in combinations(range(3), 2):
            possible = min(target, sizes[one] * sizes[other])
            assert len({(each[one], each[other]) for each in planned}) >= 0.75 * possible, (target, one, other)


def test_two_templates_do_not_begin_with_the_same_combinations(workspace: Workspace) -> None:
    PromptTemplateFactory.create_batch(2, workspace=workspace, target_count=2)
    planned = _planned(gaps(workspace))
    assert _spread(Counter(one["topic"] for one in planned)) == 0


@pytest.mark.parametrize(("target", "times"), [(20, {1}), (36, {1}), (72, {2}), (80, {2, 3})])
def test_no_combination_is_repeated_while_one_of_the_36_is_left(
    workspace: Workspace, target: int, times: set[int]
) -> None:
    PromptTemplateFactory(workspace=workspace, target_count=target)
    drafts = fill_gaps(workspace)
    assert len({draft.slot for draft in drafts}) == target
    combined = Counter((draft.persona, draft.emotion, draft.topic) for draft in drafts)
    assert len(combined) == min(target, 36)
    assert set(combined.values()) == times
    assert gaps(workspace) == []


def test_an_emotion_and_a_tone_of_one_name_are_two_things(workspace: Workspace) -> None:
    Dimension.objects.filter(name="emotion 0").update(name="Calm")
    Dimension.objects.filter(name="tone 0").update(name="Calm")
    PromptTemplateFactory(workspace=workspace, target_count=12)
    planned = _planned(gaps(workspace))
    assert _spread(Counter(one["tone"] for one in planned)) <= 1
    assert _spread(Counter(one["emotion"] for one in planned)) <= 1


def test_a_gap_that_is_filled_later_goes_on_where_the_plan_stood(workspace: Workspace) -> None:
    template = PromptTemplateFactory(workspace=workspace, target_count=1)
    for target in range(1, 13):
        template.target_count = target
        template.save()
        assert len(fill_gaps(workspace)) == 1
    for kind in KINDS:
        counts: Counter[object] = Counter(Conversation.objects.values_list(kind, flat=True))
        assert _spread(counts) <= (1 if kind in ("persona", "intent", "tone") else 2), counts


# --- slots --------------------------------------------------------------------------------------------------


def _numbers(drafts: Sequence[Conversation]) -> list[str]:
    return [draft.slot.rpartition(":")[2] for draft in drafts]


@pytest.fixture
def ten_alike() -> list[Conversation]:
    """The drafts of a template whose conversations are all of one combination."""
    template = PromptTemplateFactory(target_count=10)
    DimensionFactory(workspace=template.workspace, kind="topic", name="The only one")
    return fill_gaps(template.workspace)


def test_slots_of_one_combination_are_numbered(ten_alike: list[Conversation]) -> None:
    assert _numbers(ten_alike) == [str(number) for number in range(1, 11)]


def test_numbers_that_became_free_are_given_again(ten_alike: list[Conversation]) -> None:
    away = [ten_alike[position].pk for position in (7, 2, 4)]
    Conversation.objects.filter(pk__in=away).update(status=Status.ARCHIVED)
    assert _numbers(fill_gaps(ten_alike[0].workspace)) == ["3", "5", "8"]


def test_a_renamed_value_does_not_hide_the_slots_that_are_taken(ten_alike: list[Conversation]) -> None:
    Dimension.objects.update(name="By another name")
    PromptTemplate.objects.update(target_count=13)
    drafts = fill_gaps(ten_alike[0].workspace)
    assert {draft.topic for draft in drafts} == {"By another name"}
    assert len({draft.slot for draft in (*ten_alike, *drafts)}) == 13


# --- what is read -------------------------------------------------------------------------------------------


def test_a_complete_plan_is_read_without_looking_at_conversations(starter: Workspace) -> None:
    fill_gaps(starter)
    with CaptureQueriesContext(connection) as queries:
        assert gaps(starter) == []
        assert standing(starter).missing == 0
    assert [each["sql"] for each in queries if "conversations_conversation" in each["sql"]] == []


def test_gaps_look_up_slots_in_their_index_and_read_no_conversation(ten_alike: list[Conversation]) -> None:
    PromptTemplate.objects.update(target_count=300)
    fill_gaps(ten_alike[0].workspace)
    PromptTemplate.objects.update(target_count=301)
    with CaptureQueriesContext(connection) as queries:
        assert len(gaps(ten_alike[0].workspace)) == 1
    (lookup,) = [each["sql"] for each in queries if "conversations_conversation" in each["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE conversations_conversation")
        # The table is small, and full of what earlier tests rolled back.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {lookup}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Only Scan using conversation_live_slot_once" in plan, plan


# --- standing -----------------------------------------------------------------------------------------------


def _used(uses: Sequence[Used]) -> dict[str, int]:
    return {" + ".join(name for _kind, name in used.values): used.conversations for used in uses}


def test_the_standing_tells_places_filled_missing_and_outside_the_plan(workspace: Workspace) -> None:
    template = PromptTemplateFactory(workspace=workspace, target_count=5)
    drafts = fill_gaps(workspace)
    Conversation.objects.filter(pk=drafts[0].pk).update(status=Status.ARCHIVED)
    ConversationFactory(workspace=workspace, template=template, conversation_id="BY-HAND")
    elsewhere = PromptTemplateFactory(target_count=9)
    ConversationFactory(workspace=elsewhere.workspace, template=elsewhere)
    (one,) = standing(workspace).templates
    assert (one.template, one.target, one.live, one.missing) == (template, 5, 5, 1)


def test_the_standing_names_values_and_pairs_the_least_used_first(workspace: Workspace) -> None:
    template = PromptTemplateFactory(workspace=workspace, target_count=1)
    _restrict(template, *Dimension.objects.filter(name__in=["persona 1", "emotion 2"]))
    words = {"persona": "persona 1", "emotion": "emotion 2"}
    ConversationFactory.create_batch(2, workspace=workspace, template=template, topic="topic 3", **words)
    ConversationFactory(workspace=workspace, template=template, topic="topic 0", **words)
    (one,) = standing(workspace).templates
    values, pairs = _used(one.values), _used(one.pairs)
    assert list(values.values()) == sorted(values.values())
    assert (values["persona 1"], values["topic 3"], values["topic 0"], values["topic 1"]) == (3, 2, 1, 0)
    assert "persona 0" not in values  # it does not apply
    assert values["tone 0"] == 0
    assert pairs["persona 1 + emotion 2"] == 3
    assert pairs["persona 1 + topic 1"] == pairs["emotion 2 + topic 2"] == 0
    assert len(pairs) == 1 + 4 + 4


def test_a_tier_stands_as_its_templates_do_together(starter: Workspace) -> None:
    fill_gaps(starter, Tier.SCENARIO)
    plan = standing(starter)
    assert [(tier.tier, tier.target, tier.missing, tier.live) for tier in plan.tiers] == [
        ("template", 30, 30, 0),
        ("scenario", 40, 0, 40),
        ("edge_case", 20, 20, 0),
    ]
    assert plan.missing == 50
    of_scenarios = [one for one in plan.templates if one.tier == Tier.SCENARIO]
    together: Counter[str] = Counter()
    for one in of_scenarios:
        together.update(_used(one.pairs))
    assert _used(plan.tiers[1].pairs) == dict(together)


def test_the_standing_of_one_tier_is_that_tier_alone(starter: Workspace) -> None:
    plan = standing(starter, Tier.EDGE_CASE)
    assert {one.tier for one in plan.templates} == {one.tier for one in plan.tiers} == {"edge_case"}


def test_a_template_with_more_conversations_than_places_lacks_none(workspace: Workspace) -> None:
    template = PromptTemplateFactory(workspace=workspace, target_count=5)
    fill_gaps(workspace)
    PromptTemplate.objects.filter(pk=template.pk).update(target_count=2)
    (one,) = standing(workspace).templates
    assert (one.live, one.missing) == (5, 0)


# --- sources ------------------------------------------------------------------------------------------------


def test_chunks_are_chosen_by_topic_and_shared_evenly(workspace: Workspace) -> None:
    template = PromptTemplateFactory(workspace=workspace, target_count=24)
    document = DocumentFactory(workspace=workspace)
    about = [ChunkFactory(document=document, position=n, dimensions={"topics": ["topic 1"]}) for n in range(1, 4)]
    both = ChunkFactory(document=document, position=9, dimensions={"topics": ["topic 2", "topic 3"]})
    ChunkFactory(document=document, position=100_000, dimensions={"labels": ["nothing to do with it"]})
    ChunkFactory(dimensions={"topics": ["topic 1"]})  # another workspace's
    drafts = fill_gaps(workspace)
    used = {topic: Counter(d.chunk for d in drafts if d.topic == topic) for topic in {d.topic for d in drafts}}
    assert set(used["topic 0"]) == {None}
    assert set(used["topic 1"]) == set(about)
    assert max(used["topic 1"].values()) - min(used["topic 1"].values()) <= 1
    assert set(used["topic 2"]) == set(used["topic 3"]) == {both}
    assert {draft.document for draft in drafts} == {None, document}
    template.target_count = 36
    template.save()
    fill_gaps(workspace)  # goes on with the chunks used least
    assert [chunk.conversations.count() for chunk in about] == [3, 3, 3]


# --- at the same time ---------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_who_fill_at_once_fill_every_gap_once() -> None:
    workspace = load_starter().workspace

    @workspace_scope(workspace.pk)
    def fill(_number: int) -> int:
        try:
            with workspace_scope(workspace.pk):
                return len(fill_gaps(workspace))
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        filled = list(pool.map(fill, range(3)))
    assert sorted(filled) == [0, 0, 90]
    assert Conversation.objects.count() == 90
    assert gaps(workspace) == []

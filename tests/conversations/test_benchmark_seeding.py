"""Made-up volume: what `seed_benchmark` loads, and what it refuses."""

import re
from collections import Counter
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from conversations.benchmark.seeding import AlreadySeeded, NotABenchmark, seed
from conversations.benchmark.vocabulary import opening, phrases, vocabulary
from conversations.choices import WITH_TURNS, Status
from conversations.models import Conversation, Turn, Workspace
from convgen.tenancy import NOTHING, workspace_scope
from tests.factories import ConversationFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db(transaction=True)  # it loads on connections of its own


@pytest.fixture
def seeded() -> Workspace:
    return seed("benchmark", 500, chunk=200)


def test_every_row_is_there_once_whatever_the_chunks(seeded: Workspace) -> None:
    conversations = Conversation.objects.filter(workspace=seeded)
    assert conversations.count() == 500
    cases = {title.rpartition(" ")[2] for title in conversations.exclude(title="").values_list("title", flat=True)}
    assert len(cases) == conversations.exclude(title="").count()
    assert len(set(conversations.values_list("conversation_id", flat=True))) == 500


def test_keys_are_in_the_order_of_creation_over_a_year(seeded: Workspace) -> None:
    rows = list(Conversation.objects.order_by("created_at").values_list("pk", "created_at"))
    assert [pk for pk, _at in rows] == sorted(pk for pk, _at in rows)
    assert 360 < (rows[-1][1] - rows[0][1]).days < 366


def test_conversations_that_were_written_have_turns_that_alternate_and_a_score(seeded: Workspace) -> None:
    for conversation in Conversation.objects.filter(status__in=WITH_TURNS).prefetch_related("turns"):
        turns = list(conversation.turns.all())
        assert 4 <= len(turns) == conversation.turn_count <= 12
        assert [turn.role for turn in turns] == [("user", "assistant")[place % 2] for place in range(len(turns))]
        assert conversation.quality_score is not None
        assert {"components", "flags"} <= set(conversation.quality_metrics)


def test_drafts_are_the_newest_and_have_nothing_yet(seeded: Workspace) -> None:
    drafts = Conversation.objects.filter(status=Status.DRAFT)
    assert drafts
    assert not Turn.objects.filter(conversation__in=drafts).exists()
    assert not drafts.filter(quality_score__isnull=False).exists()


def test_the_spread_is_skewed_and_the_same_again(seeded: Workspace) -> None:
    def spread(workspace: Workspace) -> list[tuple[Any, ...]]:
        mine = Conversation.objects.filter(workspace=workspace).order_by("id")
        return list(mine.values_list("template__name", "persona", "status", "quality_score", "turn_count"))

    again = seed("again", 500, chunk=200)
    assert spread(seeded) == spread(again)
    personas = Counter(persona for _template, persona, *_rest in spread(seeded)).most_common()
    assert personas[0][1] > 3 * personas[-1][1]


def test_the_known_words_occur_as_often_as_the_vocabulary_says() -> None:
    openings = [opening(number).split() for number in range(1, 2001)]
    assert Counter(words[-1] for words in openings)["case7"] == 1
    counted = Counter(word for words in openings for word in words[:-1])
    assert counted == {"money": 2000, "budget": 200, "annuity": 2}


def test_phrases_are_of_a_language_in_which_few_words_are_frequent() -> None:
    words = Counter(word for phrase in phrases()[:5000] for word in phrase.split())
    assert set(words) <= set(vocabulary())
    assert words[vocabulary()[0]] > 100 * words[vocabulary()[1000]]
    assert not {"money", "budget", "annuity", "zeppelin"} & set(vocabulary())


def test_turns_say_the_word_of_their_conversations_number(seeded: Workspace) -> None:
    first = Turn.objects.filter(position=1).order_by("conversation_id").first()
    assert first is not None
    assert re.match(r"money( budget)? case\d+ \w+", first.content)


def test_seeding_twice_is_refused_unless_told_to_append(seeded: Workspace) -> None:
    with pytest.raises(AlreadySeeded, match="500"):
        seed("benchmark", 10)
    seed("benchmark", 10, append=True)
    assert Conversation.objects.filter(workspace=seeded).count() == 510


def test_a_workspace_of_somebody_is_never_filled() -> None:
    workspace = WorkspaceFactory(slug="practice")
    ConversationFactory(workspace=workspace)
    with pytest.raises(NotABenchmark, match="practice"):
        seed("practice", 10, append=True)
    assert Conversation.objects.filter(workspace=workspace).count() == 1


def test_the_command_works_without_a_scope_and_says_how_many(capsys: pytest.CaptureFixture[str]) -> None:
    with workspace_scope(NOTHING):
        call_command("seed_benchmark", conversations=30, workspace="small", turns=(2, 2))
    assert re.search(r"^30 conversations in workspace “small” in \d+ s\.$", capsys.readouterr().out, re.MULTILINE)
    assert set(Turn.objects.values_list("position", flat=True)) == {1, 2}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"conversations": 0}, "must be 1 or more, not 0"),
        ({"conversations": -5}, "must be 1 or more, not -5"),
        ({"conversations": 5, "turns": (9, 3)}, "the fewest first, not 9 3"),
        ({"conversations": 5, "turns": (0, 3)}, "1 or more"),
    ],
)
def test_nonsense_is_refused_in_one_line(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        call_command("seed_benchmark", **options)
    assert not Workspace.objects.exists()


def test_the_command_says_what_to_do_when_the_workspace_is_full(seeded: Workspace) -> None:
    with pytest.raises(CommandError, match="--append"):
        call_command("seed_benchmark", conversations=10)

"""Fills a workspace with benchmark conversations, by the million.

Rows are made here and copied to staging tables; PostgreSQL makes the turns. Two connections work side by side, each
on a chunk at a time and each chunk in a transaction of its own: triggers see many rows at once, and what was loaded
before an interruption stays.
"""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pgtrigger
from django.db import connection, transaction
from django.utils import timezone

from conversations import quality
from conversations.benchmark.spread import REPORTS, Line, Staged, Stock, kinds, rows
from conversations.benchmark.vocabulary import PHRASES, phrases
from conversations.choices import Tier
from conversations.coverage import recount
from conversations.models import Chunk, Conversation, ConversationNumber, Dimension, PromptTemplate, Workspace
from conversations.numbering import next_ids
from conversations.starter.load import load_contents
from convgen.tenancy import EVERY, NOTHING, workspace_scope

SQL = Path(__file__).parent / "sql"
CHUNK = 20_000  # conversations in one transaction
CONNECTIONS = 2
LOADED = ("conversations_conversation", "conversations_turn", "conversations_searchdocument")

Report = Callable[[int], None]  # is told how many more were loaded, by any thread


MADE_UP = "Made-up conversations, to measure on. They are no training data."


class AlreadySeeded(Exception):
    """The workspace has conversations; the message says how many."""


class NotABenchmark(Exception):
    """The workspace is somebody's; made-up conversations would look like theirs."""


def seed(
    slug: str,
    count: int,
    *,
    turns: tuple[int, int] = (4, 12),
    append: bool = False,
    report: Report = lambda _loaded: None,
    chunk: int = CHUNK,
) -> Workspace:
    """Add `count` conversations to the workspace with the slug, which is made if there is none.

    Each that has been written has `turns` turns (fewest, most). Raises `AlreadySeeded` when the workspace has
    conversations, unless told to `append`; `NotABenchmark` when it was not made here. Not to be called in a
    transaction.
    """
    if count < 1:
        raise ValueError(f"At least one conversation, not {count}.")
    workspace = _workspace(slug)
    with workspace_scope(workspace.pk):
        present = Conversation.objects.filter(workspace=workspace).count()
        if present and not append:
            raise AlreadySeeded(f"Workspace “{slug}” has {present} conversations already.")
        load_contents(workspace)
        line = Line(_first_number(workspace), count, turns, timezone.now())
        _load_all(_Load(workspace, line, _stock(workspace), report), chunk)
        recount(workspace)  # many connections at once leave many changes to sum up
    _tidy()
    return workspace


def _workspace(slug: str) -> Workspace:
    with workspace_scope(EVERY):
        texts = {"name": f"Benchmark ({slug})", "description": MADE_UP}
        workspace, _created = Workspace.objects.get_or_create(slug=slug, defaults=texts)
    if workspace.description != MADE_UP:
        raise NotABenchmark(f"Workspace “{slug}” is not for benchmarks. Name one that is not there yet.")
    return workspace


def _first_number(workspace: Workspace) -> int:
    """The number after all those given out, so that the words made from it are new."""
    numbers = ConversationNumber.objects.filter(workspace=workspace)
    return sum(numbers.values_list("last", flat=True)) + 1


def _stock(workspace: Workspace) -> Stock:
    of_kind = Dimension.objects.filter(workspace=workspace).order_by("position", "name")
    return Stock(
        templates=list(PromptTemplate.objects.filter(workspace=workspace).order_by("name")),
        chunks=list(Chunk.objects.filter(workspace=workspace).order_by("document__title", "position")),
        names={kind: list(of_kind.filter(kind=kind).values_list("name", flat=True)) for kind in kinds()},
    )


class _Load:
    """One filling of a workspace, by several threads."""

    def __init__(self, workspace: Workspace, line: Line, stock: Stock, report: Report) -> None:
        self.workspace, self.line, self.stock, self.report = workspace, line, stock, report
        self.stopped = threading.Event()

    def work(self, chunks: list[range]) -> None:
        """Load chunks on a connection of this thread's own."""
        try:
            with workspace_scope(self.workspace.pk):
                self._prepare()
                for numbers in chunks:
                    if self.stopped.is_set():
                        return
                    self._load(numbers)
                    self.report(len(numbers))
        finally:
            connection.close()

    def _prepare(self) -> None:
        said = phrases()
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute((SQL / "staging.sql").read_text())
            with cursor.copy("COPY phrase FROM STDIN") as copy:
                for row in enumerate(said):
                    copy.write_row(row)
            for number, metrics in enumerate(_reports(said)):
                cursor.execute("INSERT INTO report VALUES (%s, %s)", [number, json.dumps(metrics)])
            cursor.execute("ANALYZE phrase, report")

    def _load(self, numbers: range) -> None:
        staged = list(rows(numbers, self.line, self.stock))
        readable = self._readable_ids(staged)
        with transaction.atomic(), connection.cursor() as cursor:
            # What `pgtrigger.ignore` does, which cannot be used with named parameters.
            cursor.execute("SELECT set_config('pgtrigger.ignore', %s, true)", [f"{{{','.join(_stood_in_for())}}}"])
            with cursor.copy(f"COPY staged ({', '.join(Staged._fields)}, conversation_id) FROM STDIN") as copy:
                for row, readable_id in zip(staged, readable, strict=True):
                    copy.write_row((*row, readable_id))
            cursor.execute("ANALYZE staged")
            cursor.execute((SQL / "load.sql").read_text(), {"workspace": self.workspace.pk, "phrases": PHRASES - 1})

    def _readable_ids(self, staged: list[Staged]) -> Iterator[str]:
        """Taken before the chunk's transaction: the row of the last number would make the other thread wait."""
        tiers = [row.tier for row in staged]
        taken = {tier: iter(next_ids(self.workspace.pk, tier, tiers.count(tier))) for tier in sorted(set(tiers))}
        return (next(taken[tier]) for tier in tiers)


def _stood_in_for() -> Iterator[str]:
    """The triggers of search documents, which `load.sql` writes itself."""
    for uri in ("conversations.Conversation:search_document_of_new", "conversations.Turn:search_document_with_turns"):
        for model, trigger in pgtrigger.registered(uri):
            yield trigger.get_pgid(model)


def _load_all(load: _Load, chunk: int) -> None:
    last = load.line.first + load.line.total
    chunks = [range(start, min(start + chunk, last)) for start in range(load.line.first, last, chunk)]
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="seeding") as threads:
        try:
            for done in [threads.submit(load.work, chunks[each::CONNECTIONS]) for each in range(CONNECTIONS)]:
                done.result()
        finally:
            load.stopped.set()


def _reports(said: list[str]) -> list[dict[str, object]]:
    """Quality reports as they are stored: real ones, of a few dialogues."""
    reports = []
    for number in range(REPORTS):
        texts = said[number * 12 : number * 12 + 4 + number % 9]
        turns = tuple(quality.Turn(("user", "assistant")[place % 2], text) for place, text in enumerate(texts))
        reports.append(quality.assess(quality.Sample(turns=turns, tier=Tier.TEMPLATE.value)).as_json())
    return reports


def _tidy() -> None:
    """What autovacuum would do in time: statistics, and the map that lets counts read indexes alone."""
    with workspace_scope(NOTHING), connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        try:
            for table in LOADED:
                cursor.execute(f"VACUUM (ANALYZE) {table}")
        finally:
            cursor.execute("RESET statement_timeout")

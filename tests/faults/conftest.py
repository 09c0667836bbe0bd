"""The stage, how many moments are tried, and the table at the end.

`FAULT_MOMENTS` are the moments over all scenarios, at least one each; `FAULT_SEED` repeats those of an earlier run.
"""

import math
import os
from collections.abc import Iterator
from itertools import count

import pytest
from pytest_django.plugin import DjangoDbBlocker
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from tests.faults.stage import Stage, stage
from tests.faults.trial import REPORTS, SEED

SCENARIOS = 12  # tests that ask for a `moment`
_SCENARIO = count()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The moments go round: the first scenarios may have one more than the last."""
    if "moment" in metafunc.fixturenames:
        left = int(os.environ.get("FAULT_MOMENTS", "0")) - next(_SCENARIO)
        metafunc.parametrize("moment", range(max(1, math.ceil(left / SCENARIOS))))


@pytest.fixture(autouse=True)
def _seed_of_a_failure(request: pytest.FixtureRequest) -> None:
    """Said beside it: in a parallel run there is no table."""
    request.node.add_report_section("setup", "seed", f"FAULT_SEED={SEED}")


@pytest.fixture(scope="module", name="stage")
def _stage(django_db_blocker: DjangoDbBlocker) -> Iterator[Stage]:
    """Set once for the tests of a file: workers take seconds to start."""
    with django_db_blocker.unblock(), stage() as built:
        yield built


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not REPORTS:
        return
    table = Table("Killed", "Moment", title=f"FAULT_SEED={SEED}", box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("Items", "Requests", "In flight", "Paid twice", "Longest silence"):
        table.add_column(heading, justify="right")
    table.add_column("Verdict")
    for one in REPORTS:
        numbers = (one.items, one.requests, one.in_flight, one.twice)
        table.add_row(one.scenario, one.moment, *map(str, numbers), f"{one.silence:.1f} s", one.verdict)
    terminalreporter.write_line("")
    Console(file=terminalreporter._tw._file, width=120).print(table)

"""State machines: which status may follow which, in one table for code, database and documentation.

A move is a conditional UPDATE on the statuses that may come before, so that of two callers one wins and the other is
told so. Whatever the table does not list, the database refuses (`Transitions`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pgtrigger
from django.db.models import TextChoices

from convgen.database.triggers import refuse

S = TypeVar("S", bound=TextChoices)


@dataclass(frozen=True)
class StateMachine(Generic[S]):
    """`may_become` lists every status, with those that may follow it."""

    name: str  # of what has the status, such as “conversation”
    start: S
    may_become: Mapping[S, tuple[S, ...]]

    def before(self, status: S) -> tuple[S, ...]:
        """The statuses that `status` may follow, in the order of the table."""
        return tuple(earlier for earlier, later in self.may_become.items() if status in later)

    @property
    def moves(self) -> Iterator[tuple[S, S]]:
        for earlier, followers in self.may_become.items():
            for later in followers:
                yield earlier, later

    @property
    def ends(self) -> tuple[S, ...]:
        """The statuses that nothing follows."""
        return tuple(status for status, followers in self.may_become.items() if not followers)

    def diagram(self) -> str:
        """The machine in Mermaid's language."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.start.value}"]
        lines += [f"    {earlier.value} --> {later.value}" for earlier, later in self.moves]
        lines += [f"    {status.value} --> [*]" for status in self.ends]
        return "\n".join(lines)


class Transitions(pgtrigger.Trigger):
    """Refuses a change of `status` that the machine does not list, whoever writes it."""

    when = pgtrigger.Before
    operation = pgtrigger.UpdateOf("status")
    condition = pgtrigger.AnyChange("status")

    def __init__(self, machine: StateMachine[S]) -> None:
        self.machine = machine
        super().__init__(name=f"{machine.name.replace(' ', '_')}_transitions")

    def get_func(self, model: Any) -> str:
        moves = ", ".join(f"('{earlier.value}', '{later.value}')" for earlier, later in self.machine.moves)
        message = f"format('A {self.machine.name} that is %s cannot become %s.', OLD.status, NEW.status)"
        return f"""
            IF (OLD.status, NEW.status) IN ({moves}) THEN
                RETURN NEW;
            END IF;
            {refuse(message, rule=str(self.name))}
        """

"""docs/states.md: the state machines of the models, as diagrams."""

from collections.abc import Iterator

from django.apps import apps

from convgen.states import StateMachine, Transitions

INTRODUCTION = """# States

Written by `make docs` from the tables of transitions (`conversations/transitions.py`, `batches/transitions.py`). The
database refuses what is not drawn here.
"""


def states_document() -> str:
    return "\n".join([INTRODUCTION, *(_section(machine) for machine in _machines())])


def _machines() -> Iterator[StateMachine]:
    for model in apps.get_models():
        for trigger in getattr(model._meta, "triggers", []):
            if isinstance(trigger, Transitions):
                yield trigger.machine


def _section(machine: StateMachine) -> str:
    return f"## {machine.name.capitalize()}\n\n```mermaid\n{machine.diagram()}\n```\n"

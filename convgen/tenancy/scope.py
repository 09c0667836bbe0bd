"""Whose rows the code at hand sees and writes.

PostgreSQL guards every row of a workspace (`convgen/tenancy/policies.py`): outside of a scope there are none. A scope
is entered at a door (the middleware, a task, a command) and holds for all that is called from there:

    with workspace_scope(workspace.pk):
        ...

It belongs to the context, as Django's time zone does, and holds no transaction or connection. What is lazy must be read
inside: a queryset or an iterator that is read after the scope finds nothing. The database backend
tells PostgreSQL the scope anew in each transaction, for that transaction only, so that nothing of it is left on a
connection that others use next.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from typing import TypeAlias
from uuid import UUID


class Reach(Enum):
    EVERY = "every workspace"
    NOTHING = "no workspace"


EVERY, NOTHING = Reach.EVERY, Reach.NOTHING
Scope: TypeAlias = UUID | Reach

_scope: ContextVar[Scope] = ContextVar("scope", default=NOTHING)


@contextmanager
def workspace_scope(scope: Scope) -> Iterator[None]:
    """See and write the rows of one workspace, given by its id.

    `EVERY` is for what serves all workspaces (the reaper, a superuser who asks for it); `NOTHING` for nobody's.
    Scopes nest: the inner one holds until its end.
    """
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)


def current_scope() -> Scope:
    return _scope.get()

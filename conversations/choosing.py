"""Which workspace a person works in: the one that she asks for, the one that she chose before, or the first she has."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpRequest

from conversations.models import Membership, Workspace
from convgen.models import User
from convgen.tenancy import EVERY, NOTHING, Scope, workspace_scope

ALL = "*"  # in place of a slug: all workspaces at once, for superusers
SESSION_KEY = "workspace"  # the slug, or `ALL`, that a person chose


class WorkspaceRefused(Exception):
    """The person asked for a workspace that is not hers. The message does not tell whether it exists."""


@dataclass(frozen=True)
class Workspaces:
    """The workspaces that a person may work in, and the one that she works in now."""

    choices: Sequence[Workspace] = ()  # the default one first, then by name; with id, name and slug alone
    current: Workspace | None = None  # one of the choices
    every: bool = False  # she works in all at once

    @property
    def scope(self) -> Scope:
        if self.every:
            return EVERY
        return self.current.pk if self.current else NOTHING


def workspaces_of(request: HttpRequest) -> Workspaces:
    """What `WorkspaceMiddleware` found for the request."""
    workspaces: Workspaces = request.workspaces  # type: ignore[attr-defined]
    return workspaces


def choose(user: User, *, asked: str = "", chosen: str = "") -> Workspaces:
    """Where the person works who asks for a workspace by its slug (or `ALL`), or chose one before.

    What was chosen may be hers no longer: then it is forgotten. What is asked for is hers, or `WorkspaceRefused` is
    raised.
    """
    with workspace_scope(EVERY):  # the search for a scope cannot be in one
        choices = tuple(_open_to(user))
    if asked:
        return _named(asked, choices, user) or _refuse(asked, choices)
    first = Workspaces(choices, choices[0] if choices else None)
    return _named(chosen, choices, user) or first


def _open_to(user: User) -> QuerySet[Workspace]:
    workspaces = Workspace.objects.only("slug", "name").order_by("-is_default", "name")
    hers = Membership.objects.filter(user=user).values("workspace")
    return workspaces if user.is_superuser else workspaces.filter(pk__in=hers)


def _named(slug: str, choices: Sequence[Workspace], user: User) -> Workspaces | None:
    if slug == ALL and user.is_superuser:
        # Of one workspace, all is that one: whoever has no choice never meets the word.
        return Workspaces(choices, choices[0]) if len(choices) == 1 else Workspaces(choices, every=True)
    current = next((workspace for workspace in choices if workspace.slug == slug), None)
    return Workspaces(choices, current) if current else None


def _refuse(slug: str, choices: Sequence[Workspace]) -> Workspaces:
    hers = ", ".join(workspace.slug for workspace in choices) or "none"
    raise WorkspaceRefused(f"You have no workspace “{slug}”. Yours: {hers}.")

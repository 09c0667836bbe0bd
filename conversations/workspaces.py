"""Which workspace a command works in."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.models import Workspace
from convgen.tenancy import EVERY, workspace_scope


class WorkspaceUnknown(Exception):
    """There is no such workspace; the message lists those that there are."""


@workspace_scope(EVERY)
def find_workspace(slug: str = "") -> Workspace:
    """The workspace with the slug; without one, the default workspace. Raises `WorkspaceUnknown`."""
    found = Workspace.objects.filter(slug=slug) if slug else Workspace.objects.filter(is_default=True)
    workspace = found.first()
    if workspace:
        return workspace
    known = ", ".join(Workspace.objects.values_list("slug", flat=True))
    if not known:
        raise WorkspaceUnknown("There is no workspace yet. Load the starter one: manage.py load_starter")
    missing = f"There is no workspace “{slug}”." if slug else "No workspace is the default one."
    raise WorkspaceUnknown(f"{missing} Choose one with --workspace: {known}.")


class WorkspaceCommand(BaseCommand):
    """A command that works in one workspace: `run` is called in its scope."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workspace", default="", help="Its slug; else the default workspace.")

    def handle(self, *, workspace: str, **options: Any) -> None:
        try:
            found = find_workspace(workspace)
        except WorkspaceUnknown as error:
            raise CommandError(str(error)) from error
        with workspace_scope(found.pk):
            self.run(found, **options)

    def run(self, workspace: Workspace, **options: Any) -> None:
        raise NotImplementedError

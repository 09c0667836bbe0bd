"""Which workspace a command works in."""

from conversations.models import Workspace


class WorkspaceUnknown(Exception):
    """There is no such workspace; the message lists those that there are."""


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

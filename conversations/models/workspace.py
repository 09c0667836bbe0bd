"""The tenant, its members, and what every row of a tenant carries."""

from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from conversations.choices import Role
from conversations.models.configuration import Configured, configuration_rules
from convgen.models import Row, one_of


class Workspace(Configured, Row):
    """The tenant: every row of its members' work belongs to it."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=60, unique=True)
    description = models.TextField(blank=True)
    training_system_prompt = models.TextField(
        blank=True,
        help_text="The system message of every exported training example. Left empty, examples have none.",
    )
    is_default = models.BooleanField(
        default=False, help_text="New staff join it, and commands use it unless told another."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            # "the default workspace" must mean one.
            models.UniqueConstraint(
                fields=["is_default"],
                condition=Q(is_default=True),
                name="workspace_one_default",
                violation_error_message="Another workspace is the default one. Take the mark from that one first.",
            ),
            # What Claude takes.
            *configuration_rules("workspace"),
        ]

    def __str__(self) -> str:
        return self.name

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the workspace with all that is in it, the records of its exports included."""
        with pgtrigger.ignore("conversations.Export:export_record_stays"):
            return super().delete(*args, **kwargs)


class WorkspaceRow(Row):
    """A row that belongs to one workspace and is seen by its members alone."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")

    class Meta:
        abstract = True


class Membership(WorkspaceRow):
    """That a user works in a workspace, and as what."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role, default=Role.CURATOR)

    class Meta:
        constraints = [
            # One role each.
            models.UniqueConstraint(fields=["workspace", "user"], name="membership_once_per_user"),
            one_of("role", Role, table="membership"),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"

"""How many live conversations use which values: counts that the database keeps, whoever writes.

A conversation that becomes live, ceases to be, or changes its words while it is live, leaves a *change*; nothing is
locked for that, so writers never wait for each other. Changes are summed up into *counts*, a workspace's at a time
(`conversations/sql/coverage.sql`). What is true is the sum of both, read in one statement.
"""

from django.db import models

from conversations.choices import DimensionKind
from conversations.models.coverage_triggers import FoldCoverage
from conversations.models.workspace import Workspace

FOLDED_AFTER = 500  # changes, about, of a workspace: so many are read beside its counts


class _Uses(models.Model):
    """So many live conversations have these words.

    Only triggers write these rows, copying ids from conversations, whose references are checked. They are no
    references of their own: when a template is deleted, its rows cancel each other out and go with the next fold.
    """

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey(
        Workspace, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    template_id = models.UUIDField(null=True, help_text="The prompt template's id; null: they have none.")
    chunk_id = models.UUIDField(null=True, help_text="The id of the chunk that they are grounded in, if any.")
    persona = models.CharField(max_length=200, blank=True)
    emotion = models.CharField(max_length=200, blank=True)
    topic = models.CharField(max_length=200, blank=True)
    intent = models.CharField(max_length=200, blank=True)
    tone = models.CharField(max_length=200, blank=True)
    conversations = models.IntegerField(help_text="Live conversations: how many, or how many more or fewer.")
    places = models.IntegerField(help_text="How many of them fill a place of the plan.")

    class Meta:
        abstract = True


class CoverageCount(_Uses):
    """How many live conversations are in a group.

    A group is a template's conversations with a value, with two values, or with a persona, an emotion and a topic;
    all conversations of a template; or all of a chunk, whatever the template. What it is not about is empty.
    """

    size = models.SmallIntegerField(help_text="How many values make the group, 0 to 3; 0: all of a template.")

    class Meta:
        constraints = [
            # One count for a group. It also finds the groups of a size, and those of a chunk.
            models.UniqueConstraint(
                fields=["workspace", "size", "chunk_id", "template_id", *DimensionKind.values],
                nulls_distinct=False,
                name="coverage_count_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.conversations} conversations"


class CoverageChange(_Uses):
    """So many live conversations more, or fewer, than the counts say."""

    class Meta:
        indexes = [
            models.Index(fields=["workspace"], name="coverage_change_workspace"),  # those not summed up yet
        ]
        triggers = [FoldCoverage(every=FOLDED_AFTER)]

    def __str__(self) -> str:
        return f"{self.conversations:+} conversations"

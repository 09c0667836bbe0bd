"""A message batch, and what it holds."""

from django.db import models
from django.db.models import Q

from batches.choices import HOLDING, MessageBatchStatus
from batches.transitions import MESSAGE_BATCH
from conversations.models import Workspace, WorkspaceRow
from convgen.models import at_least, one_of
from convgen.states import Transitions
from convgen.tenancy.references import SameWorkspace, referable


class MessageBatch(WorkspaceRow):
    """One message batch of an economy job. It is written before it is sent, and holds its items until it is read.

    Its items have neither leases nor workers while they are in it, and neither has a conversation's claim an end.
    """

    # Keys without indexes of their own: those of Meta begin with them.
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False, related_name="+")
    job = models.ForeignKey(
        "batches.BatchJob",
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="message_batches",
    )
    status = models.CharField(
        max_length=20, choices=MessageBatchStatus, default=MessageBatchStatus.SUBMITTING, editable=False
    )
    remote_id = models.CharField(max_length=100, blank=True, help_text="Anthropic's id; empty until it is known.")
    requests = models.PositiveIntegerField(help_text="Requests in it.")

    # Which key at which address it was sent with: no other one finds it.
    limit_key = models.CharField(max_length=60, editable=False)
    address = models.CharField(max_length=200, help_text="The server that it was sent to.")

    # What became of its requests, as Anthropic counts them; nothing before it has ended.
    succeeded = models.PositiveIntegerField(null=True, blank=True)
    errored = models.PositiveIntegerField(null=True, blank=True)
    canceled = models.PositiveIntegerField(null=True, blank=True)
    expired = models.PositiveIntegerField(null=True, blank=True)

    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was written down here, before it was sent.")
    submitted_at = models.DateTimeField(null=True, blank=True, help_text="When Anthropic created it.")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="When Claude gives up what is not written.")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When Claude was done with it.")
    read_at = models.DateTimeField(null=True, blank=True, help_text="When the last of its results was saved.")

    # When it is to be looked at next.
    next_look_at = models.DateTimeField()

    # Who sends or collects it at this moment; without a name, that a worker was asked to.
    holder = models.CharField(max_length=120, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True, editable=False)

    # Looks in a row that failed, and the last one's error in words.
    failed_looks = models.PositiveSmallIntegerField(default=0, editable=False)
    last_error = models.TextField(blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "message batches"
        constraints = [
            referable("message_batch"),
            SameWorkspace("job", name="message_batch_job_same_workspace"),
            one_of("status", MessageBatchStatus, table="message_batch"),
            at_least("requests", 1, table="message_batch"),
            # Anthropic's batch is read by one row: otherwise its results would be paid for in two places.
            models.UniqueConstraint(
                fields=["remote_id"], condition=~Q(remote_id=""), name="message_batch_remote_id_once"
            ),
            # Only what is not known to be there, or known not to be, has no id.
            models.CheckConstraint(
                condition=~Q(remote_id="")
                | Q(
                    status__in=[
                        MessageBatchStatus.SUBMITTING.value,
                        MessageBatchStatus.NOT_CREATED.value,
                        MessageBatchStatus.LOST.value,
                    ]
                ),
                name="message_batch_remote_id_known",
            ),
        ]
        triggers = [Transitions(MESSAGE_BATCH)]
        indexes = [
            # A job's list, and what goes with a job.
            models.Index(fields=["job", "created_at"], name="message_batch_of_job"),
            # Those to be looked at. Ended ones become most of the table and are left out.
            models.Index(
                fields=["next_look_at"],
                condition=Q(status__in=[status.value for status in HOLDING]),
                name="message_batch_due",
            ),
        ]

    def __str__(self) -> str:
        return self.remote_id or f"{self.requests} requests"

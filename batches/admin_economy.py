"""The message batches of economy delivery, to look at."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from batches.choices import MessageBatchStatus
from batches.models import BatchJob, MessageBatch
from conversations.admin.display import badge, list_link, page_link, problem, with_sentence
from conversations.admin.lists import ReadOnlyAdmin

SHOWN = 20  # on a batch's page: the newest

# Which status of conversations and batches its badge is coloured like.
LOOKS_LIKE: dict[str, str] = {
    MessageBatchStatus.IN_PROGRESS: "processing",
    MessageBatchStatus.CANCELING: "processing",
    MessageBatchStatus.READ: "completed",
    MessageBatchStatus.LOST: "failed",
}


@admin.register(MessageBatch)
class MessageBatchAdmin(ReadOnlyAdmin):
    purpose = (
        "What economy delivery has sent to Claude: many requests together, at half the price. Their "
        "results come within a day."
    )
    list_display = ["name", "state", "job_link", "requests", "outcome", "created_at", "next_look_at"]
    list_filter = ["status"]
    list_select_related = ["job"]
    search_fields = ["remote_id", "job__name"]
    search_help_text = "Anthropic's id of it, or words of a batch's name"
    ordering = ["-created_at"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        wrong = [(None, {"fields": ["what_is_wrong"]})] if obj and obj.last_error else []
        return [
            *wrong,
            (None, {"fields": ["state_alone", "job_link", "remote_id", "outcome", "items_of_it"]}),
            ("Times", {"fields": ["created_at", "submitted_at", "ended_at", "read_at", "expires_at", "next_look_at"]}),
            ("Record", {"fields": self._record, "classes": ["collapse"]}),
        ]

    _record = ("address", "holder", "lease_expires_at", "id", "workspace")

    @admin.display(description="message batch", ordering="remote_id")
    def name(self, message_batch: MessageBatch) -> str:
        return str(message_batch)

    @admin.display(description="batch", ordering="job__name")
    def job_link(self, message_batch: MessageBatch) -> SafeString:
        return page_link("batches_batchjob", message_batch.job_id, message_batch.job.name)

    @admin.display(description="status", ordering="status")
    def state(self, message_batch: MessageBatch) -> SafeString:
        return with_sentence(short_state(message_batch), message_batch.last_error)

    @admin.display(description="status")
    def state_alone(self, message_batch: MessageBatch) -> SafeString:
        return format_html("{} {}", short_state(message_batch), _meaning(message_batch))

    @admin.display(description="results")
    def outcome(self, message_batch: MessageBatch) -> str:
        return outcome(message_batch) or self.get_empty_value_display()

    @admin.display(description="items")
    def items_of_it(self, message_batch: MessageBatch) -> SafeString:
        """Those that it holds, or held last: what was sent again has gone on to another one."""
        number = message_batch.items.count()
        if not number:
            return SafeString("none any more")
        text = "its item" if number == 1 else f"its {number} items"
        return list_link("batches_batchitem", text, {"message_batch__id__exact": message_batch.pk})

    @admin.display(description="what is wrong")
    def what_is_wrong(self, message_batch: MessageBatch) -> SafeString:
        return problem(message_batch.last_error)


def message_batches_of(job: BatchJob) -> SafeString:
    """A table of a batch's newest message batches, with a link to all of them."""
    rows: QuerySet[MessageBatch] = job.message_batches.all()
    shown = [
        {
            "link": page_link("batches_messagebatch", one.pk, one),
            "state": short_state(one),
            "row": one,
            "outcome": outcome(one),
        }
        for one in rows[:SHOWN]
    ]
    number = rows.count()
    everything = list_link("batches_messagebatch", f"all {number}", {"job__id__exact": job.pk})
    return render_to_string(
        "batches/message_batches.html", {"rows": shown, "everything": everything if number > SHOWN else ""}
    )


def short_state(message_batch: MessageBatch) -> SafeString:
    """Its status in a word or two: the label's rest explains it."""
    word, _colon, _meaning = message_batch.get_status_display().partition(":")
    return badge(word, LOOKS_LIKE.get(message_batch.status, ""))


def outcome(message_batch: MessageBatch) -> str:
    """“240 succeeded, 6 errored, 4 expired”; empty before it has ended."""
    if message_batch.succeeded is None:
        return ""
    kinds = ("succeeded", "errored", "canceled", "expired")
    numbers = {kind: getattr(message_batch, kind) for kind in kinds}
    return ", ".join(f"{number} {kind}" for kind, number in numbers.items() if number or kind == "succeeded")


def _meaning(message_batch: MessageBatch) -> str:
    _word, _colon, meaning = message_batch.get_status_display().partition(": ")
    return f"{meaning[:1].upper()}{meaning[1:]}."

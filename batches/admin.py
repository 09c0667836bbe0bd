"""Batches and their items, and the conversations' list and pages with what generates them."""

from typing import Any

from django.contrib import admin
from django.db.models import F
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from batches.admin_economy import message_batches_of
from batches.admin_planning import GeneratingListAdmin, PlanningAdmin
from batches.admin_selected import GeneratingSelectedAdmin
from batches.admin_steering import SteeringAdmin
from batches.admin_tasks import ScheduledAdmin as ScheduledAdmin
from batches.choices import OPEN, Delivery, ItemStatus
from batches.models import BatchItem, BatchJob, MessageBatch
from batches.one.admin import MakingConversationAdmin
from batches.wording import estimate_in_words
from conversations.admin.display import badge, list_link, page_link, problem, usd, with_sentence
from conversations.admin.fields import pretty_json
from conversations.admin.lists import ReadOnlyAdmin
from conversations.models import Conversation
from convgen.database.expressions import among
from generation.configuration import overrides_in_words


@admin.register(BatchJob)
class BatchJobAdmin(PlanningAdmin, SteeringAdmin):
    list_display = ["name", "state", "progress", "failed", "cost", "begun", "created_by"]
    list_filter = ["status", "priority", "tier", "delivery", "created_at"]
    list_select_related = ["created_by"]
    search_fields = ["name", "model", "created_by__username"]
    ordering = ["-created_at"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        economy = ["message_batches"] if obj and obj.delivery == Delivery.ECONOMY else []
        return [
            ("Steering", {"fields": [("concurrent_processing", "priority"), "budget_usd"]}),
            ("What it takes", {"fields": ["items_by_status", "conversations_of_it", *economy]}),
            ("Time and cost", {"fields": [("started_at", "completed_at"), "foreseen"]}),
            ("Configuration", {"fields": self._configuration}),
            ("Record", {"fields": ["id", "created_by", "created_at", "workspace"], "classes": ["collapse"]}),
        ]

    _configuration = [
        ("tier", "selection"),
        ("delivery", "error_handling"),
        "claude",
        "requests",
        "parameters",
    ]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("batches.delete_batchjob") and (obj is None or not obj.at_work)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Items and message batches go with their batch; a batch at work stays."""
        listed, counts, needed, protected = super().get_deleted_objects(objs, request)
        at_work = [f"{job} ({job.get_status_display().lower()})" for job in objs if job.at_work]
        needed -= {model._meta.verbose_name for model in (BatchItem, BatchJob, MessageBatch)}
        return listed, counts, needed, [*protected, *at_work]

    @admin.display(description="status", ordering="status")
    def state(self, job: BatchJob) -> SafeString:
        return with_sentence(self.state_alone(job), job.status_reason)

    @admin.display(description="status")
    def state_alone(self, job: BatchJob) -> SafeString:
        return badge(job.get_status_display(), job.status)

    @admin.display(description="progress", ordering="completed_items")
    def progress(self, job: BatchJob) -> str:
        """A bar, which leads to where the batch stands, or to what came of it."""
        return render_to_string("batches/progress_bar.html", {"job": job})

    @admin.display(description="failed", ordering="failed_items")
    def failed(self, job: BatchJob) -> Any:
        return _items(job, ItemStatus.FAILED, job.failed_items) if job.failed_items else 0

    @admin.display(description="items")
    def items_by_status(self, job: BatchJob) -> SafeString:
        of_this_job = {"job__id__exact": job.pk}
        return format_html(
            "{}: {}, {}",
            list_link("batches_batchitem", f"{job.completed_items} of {job.total_items} done", of_this_job),
            _items(job, ItemStatus.COMPLETED, f"{job.successful_items} successful"),
            _items(job, ItemStatus.FAILED, f"{job.failed_items} failed"),
        )

    @admin.display(description="message batches")
    def message_batches(self, job: BatchJob) -> SafeString:
        return message_batches_of(job)

    @admin.display(description="conversations")
    def conversations_of_it(self, job: BatchJob) -> SafeString:
        return list_link("conversations_conversation", "the conversations of this batch", {"batch": job.pk})

    @admin.display(description="started", ordering="started_at")
    def begun(self, job: BatchJob) -> str:
        started = job.started_at and timezone.localtime(job.started_at)
        return f"{started:%b} {started.day}, {started:%H:%M}" if started else self.get_empty_value_display()

    @admin.display(description="cost", ordering="actual_cost_usd")
    def cost(self, job: BatchJob) -> str:
        return usd(job.actual_cost_usd)

    @admin.display(description="estimate")
    def foreseen(self, job: BatchJob) -> str:
        if not job.estimate:
            return self.get_empty_value_display()
        return estimate_in_words(job.estimate, job.delivery)

    @admin.display(description="Claude")
    def claude(self, job: BatchJob) -> str:
        return overrides_in_words(job) or "As templates, workspace and settings say."

    @admin.display(description="requests")
    def requests(self, job: BatchJob) -> str:
        each = f"{job.request_timeout} s each" if job.request_timeout else "as long as the settings allow"
        how_often = (
            "1 for a conversation" if job.max_attempts == 1 else f"{job.max_attempts} for a conversation at most"
        )
        return f"{how_often}, {each}. Waits: {job.get_retry_strategy_display().lower()}."

    @admin.display(description="shared parameters")
    def parameters(self, job: BatchJob) -> str:
        return pretty_json(job.shared_parameters) if job.shared_parameters else self.get_empty_value_display()


def _items(job: BatchJob, status: ItemStatus, text: object) -> SafeString:
    return list_link("batches_batchitem", text, {"job__id__exact": job.pk, "status__exact": status.value})


@admin.register(BatchItem)
class BatchItemAdmin(ReadOnlyAdmin):
    purpose = "The conversations of all batches, one by one: how far each has come, and why one failed."
    list_display = ["place", "conversation_link", "state", "attempts", "completed_at", "job_link"]
    list_defer = ["sent"]  # a whole request
    list_filter = ["status"]
    list_select_related = ["job"]
    search_fields = ["id"]  # shows the box: what is searched is in get_search_results
    search_help_text = "A conversation's id such as TPL-0001, or words of a batch's name"
    ordering = ["-job__created_at", "position"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(readable_id=F("conversation__conversation_id"))

    def get_search_results(self, request: HttpRequest, items: Any, search_term: str) -> tuple[Any, bool]:
        if not search_term.strip():
            return items, False
        batches = BatchJob.objects.filter(name__icontains=search_term.strip())
        conversations = Conversation.objects.named(search_term)
        return items.filter(among("job", batches) | among("conversation", conversations)), False  # no row comes twice

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        failed = [(None, {"fields": ["failure"]})] if obj and obj.error_message else []
        what = ["job_link", "position", "conversation_link", "state_alone", "progress", "estimated_time", "attempts"]
        when = ["started_at", "completed_at"]
        at_work = ["claimed_by", "lease_expires_at", "call_id", "id", "workspace"]
        return [*failed, (None, {"fields": [*what, *when]}), ("Record", {"fields": at_work, "classes": ["collapse"]})]

    @admin.display(description="item", ordering="position")
    def place(self, item: BatchItem) -> str:
        return f"#{item.position}"

    @admin.display(description="conversation", ordering="conversation__conversation_id")
    def conversation_link(self, item: Any) -> SafeString:
        return page_link("conversations_conversation", item.conversation_id, item.readable_id)

    @admin.display(description="batch", ordering="job__name")
    def job_link(self, item: BatchItem) -> SafeString:
        return page_link("batches_batchjob", item.job_id, item.job.name)

    @admin.display(description="status", ordering="status")
    def state(self, item: BatchItem) -> SafeString:
        return with_sentence(self.state_alone(item), item.error_message)

    @admin.display(description="status")
    def state_alone(self, item: BatchItem) -> SafeString:
        return badge(item.get_status_display(), item.status)

    @admin.display(description="why it failed")
    def failure(self, item: BatchItem) -> SafeString:
        return format_html("{}<p>{}</p>", problem(item.error_message), badge(item.error_type))


@admin.register(Conversation)
class GeneratingConversationAdmin(GeneratingSelectedAdmin, GeneratingListAdmin, MakingConversationAdmin):
    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A conversation's items of former batches go with it; one that a batch is at stays."""
        listed, counts, needed, protected = super().get_deleted_objects(objs, request)
        at_work = BatchItem.objects.filter(conversation__in=list(objs), status__in=OPEN).select_related("job")
        return listed, counts, needed - {BatchItem._meta.verbose_name}, [*protected, *map(str, at_work)]

"""The list of conversations with what is generated from it: *Generate*, *Regenerate*, and the filter by batch."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from batches import regeneration
from batches.admin_planning import generate_these
from batches.choices import OPEN
from batches.models import BatchItem, BatchJob
from batches.one.admin import GENERATE, REGENERATE
from batches.plan import Plan
from batches.planning import PlanError
from batches.wizard.steps import may_generate
from batches.wording import SIMULATED, cost_in_words, known_in_words, time_in_words
from conversations.admin.acting import BarButton
from conversations.admin.confirming import Confirmation
from conversations.admin.conversation_filters import STANDING
from conversations.admin.conversation_list import ConversationListAdmin
from conversations.admin.display import page_link
from conversations.admin.panel import PanelFilter
from conversations.admin.row_menu import Entry
from conversations.admin.scoping import signed_in, visible
from conversations.choices import Status
from conversations.models import Conversation, Workspace
from conversations.versions import CannotRegenerate
from convgen.dialogs import leave
from convgen.text import as_key, counted

RECENT = 20  # batches that the list can be filtered by
OPEN_TO_GENERATION = (Status.DRAFT, Status.FAILED)
WRITTEN = (Status.GENERATED, Status.PENDING_REVIEW, Status.NEEDS_REVISION, Status.APPROVED, Status.REJECTED)
ONE_WORKSPACE = "Choose conversations of one workspace: a batch has only one."
AT_WORK = "A batch is at work on them, or will be."


class BatchFilter(PanelFilter):
    title, parameter_name, group = "batch", "batch", STANDING

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        jobs = visible(BatchJob.objects.order_by("-created_at"))
        return [(str(pk), name) for pk, name in jobs.values_list("pk", "name")[:RECENT]]

    @property
    def options(self) -> list[tuple[str, str]]:
        """One that is asked for is offered by its name, however long ago it was."""
        options = super().options
        if options and options[-1] == (self.value(), self.value()) and (key := as_key(self.value())):
            named = visible(BatchJob.objects.filter(pk=key)).values_list("name", flat=True).first()
            return [*options[:-1], (str(self.value()), named or "a batch that is not there any more")]
        return options

    def queryset(self, request: HttpRequest, conversations: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return conversations
        key = as_key(self.value())
        if key is None:
            return conversations.none()
        return conversations.filter(pk__in=BatchItem.objects.filter(job_id=key).values("conversation"))


class GeneratingSelectedAdmin(ConversationListAdmin):
    list_filter = [*ConversationListAdmin.list_filter, BatchFilter]
    bar = {
        "generate_selected": BarButton("Generate", "generate"),
        "regenerate_selected": BarButton("Regenerate", "regenerate"),
        **ConversationListAdmin.bar,
    }
    actions = [*bar]

    def has_generate_permission(self, request: HttpRequest) -> bool:
        return may_generate(request)

    def entries(self, conversation: Conversation, allowed: Collection[str], back: str) -> Iterator[Entry]:
        first, *others = super().entries(conversation, allowed, back)
        yield first
        if "generate_selected" in allowed and conversation.status in OPEN_TO_GENERATION:
            yield Entry("Generate", "generate", reverse(f"admin:{GENERATE}", args=[conversation.pk]))
        if "regenerate_selected" in allowed and conversation.status in WRITTEN and conversation.template_id:
            yield Entry("Regenerate", "regenerate", reverse(f"admin:{REGENERATE}", args=[conversation.pk]))
        yield from others

    @admin.action(description="Generate", permissions=["generate"])
    def generate_selected(self, request: HttpRequest, conversations: QuerySet[Conversation]) -> HttpResponse | None:
        """Nothing is begun yet: what can be generated goes on to its plan, after a word about the others."""
        workspace = self._workspace_of(request, conversations)
        if workspace is None:
            return None
        asked = _generation(conversations)
        if asked.refused and not asked.agreed(request):
            return self.confirm(request, asked)
        return generate_these(request, workspace, conversations.filter(conversation_id__in=asked.taken))

    @admin.action(description="Regenerate", permissions=["generate"])
    def regenerate_selected(self, request: HttpRequest, conversations: QuerySet[Conversation]) -> HttpResponse | None:
        workspace = self._workspace_of(request, conversations)
        if workspace is None:
            return None
        try:
            foreseen = regeneration.foresee(workspace, conversations, by=signed_in(request))
            asked = _regeneration(foreseen)
            if not asked.agreed(request):
                return self.confirm(request, asked)
            job = regeneration.order_many(workspace, foreseen.taken, by=signed_in(request))
        except (CannotRegenerate, PlanError) as error:
            self.message_user(request, str(error), messages.ERROR)
            return None
        link = page_link("batches_batchjob", job.pk, job.name)
        self.message_user(request, format_html("The batch is queued: {}.", link), messages.SUCCESS)
        return leave(request, reverse("admin:batches_batchjob_change", args=[job.pk]))

    def _workspace_of(self, request: HttpRequest, conversations: QuerySet[Conversation]) -> Workspace | None:
        found = Workspace.objects.filter(pk__in=conversations.order_by().values("workspace"))[:2]
        if len(found) == 1:
            return found[0]
        self.message_user(request, ONE_WORKSPACE, messages.ERROR)
        return None


def _generation(conversations: QuerySet[Conversation]) -> Confirmation:
    at_work = BatchItem.objects.filter(conversation=OuterRef("pk"), status__in=OPEN)
    rows = conversations.annotate(busy=Exists(at_work)).order_by("conversation_id")
    taken, refused = [], {}
    for readable_id, status, busy in rows.values_list("conversation_id", "status", "busy"):
        if busy:
            refused[readable_id] = AT_WORK
        elif status in OPEN_TO_GENERATION:
            taken.append(readable_id)
        else:
            refused[readable_id] = f"{Status(status).label}: only drafts and failed ones can be generated."
    return Confirmation(
        action="generate_selected",
        title=f"Generate {_named(taken)}?",
        consequence="The plan comes next, with what it will cost. Nothing is created or spent before you start it.",
        button="Show the plan",
        taken=taken,
        refused=refused,
    )


def _regeneration(foreseen: regeneration.Foreseen) -> Confirmation:
    taken = [conversation.conversation_id for conversation in foreseen.taken]
    return Confirmation(
        action="regenerate_selected",
        title=f"Regenerate {_named(taken)}?",
        consequence="Claude writes each anew, with what it was made with. The present version stays as it is until the "
        "new one is written, and is archived then.",
        button="Regenerate" if len(taken) == 1 else f"Regenerate {len(taken):,}",
        taken=taken,
        refused=foreseen.refused,
        facts=_facts(foreseen.plan) if foreseen.plan else (),
        warnings=foreseen.plan.warnings if foreseen.plan else (),
    )


def _facts(plan: Plan) -> list[tuple[str, str]]:
    estimate, delivery = plan.estimate.as_json(), plan.order.delivery
    simulated = f" {SIMULATED}" if plan.estimate.simulated else ""
    return [
        ("Cost", f"{cost_in_words(estimate[delivery]).capitalize()}, {known_in_words(estimate)}.{simulated}"),
        ("Time", time_in_words(estimate[delivery], delivery).capitalize()),
    ]


def _named(readable_ids: Sequence[str]) -> str:
    return readable_ids[0] if len(readable_ids) == 1 else counted(len(readable_ids), "conversation")

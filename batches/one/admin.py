"""The pages of one conversation that is made: their addresses, who may, and where each leads."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Case, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django_htmx.http import HttpResponseClientRefresh

from batches.one import doors
from batches.one.choosing import choose
from batches.one.doors import Refused, page_of
from batches.one.following import FRESH, POLL_SECONDS, Making, making_of, may_discard
from batches.one.form import TemplateForm
from batches.wizard.steps import may_generate, refuse_unless
from batches.wording import dollars
from conversations import editing, versions
from conversations.admin.conversations import ConversationAdmin
from conversations.admin.lists import about_one
from conversations.admin.scoping import signed_in, visible
from conversations.choices import Tier
from conversations.models import Conversation, PromptTemplate
from convgen.dialogs import changed, leave
from convgen.text import as_key
from generation.sketch import sketch

NEW = "batches_generate_single"
GENERATE, REGENERATE, MAKING = (f"conversations_conversation_{name}" for name in ("generate", "regenerate", "making"))
BEHIND = "page"  # ?on=page: the progress is part of the conversation's page, and not a page of its own
THERE = "there"  # ?was=there: no poll, but asked once at the end, so that what is said then is said once
NOTE = 2_000  # characters


class MakingConversationAdmin(ConversationAdmin):
    """The page of a conversation with *Generate* and *Regenerate*, for those who may generate."""

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view
        return [
            path("generate/", page(self.new_view), name=NEW),
            path("<path:object_id>/generate/", page(self.draft_view), name=GENERATE),
            path("<path:object_id>/regenerate/", page(self.regenerate_view), name=REGENERATE),
            path("<path:object_id>/making/", page(self.making_view), name=MAKING),
            *super().get_urls(),
        ]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if obj := kwargs.get("obj"):
            context.update(self._of_making(request, obj))
        return super().render_change_form(request, context, *args, **kwargs)

    def _of_making(self, request: HttpRequest, conversation: Conversation) -> dict[str, Any]:
        """What the conversation's page shows of that: its progress, or what Claude would be asked, and the buttons."""
        making = making_of(conversation)
        shown: dict[str, Any] = {"making": making, "may_generate": may_generate(request)}
        if making.moves:
            return {**shown, "progress_url": f"{_at(MAKING, conversation)}?on={BEHIND}", "seconds": POLL_SECONDS}
        if making.phase == "draft":
            shown["look"] = sketch(conversation)
        if shown["may_generate"]:
            shown["regenerate_url"] = regenerate_url(conversation)
            if making.phase in ("draft", "failed"):
                shown |= {"making_url": _at(MAKING, conversation), "generate_url": change_url(conversation)}
        return shown

    # What is made, and with what.

    def new_view(self, request: HttpRequest) -> HttpResponse:
        refuse_unless(may_generate(request))
        like, address, offered = self._like(request), reverse(f"admin:{NEW}"), _templates()
        templates = TemplateForm(_template_in(request, like), templates=offered, address=address)
        template = templates.cleaned_data["template"] if templates.is_valid() else None
        door = doors.new(template, like, key=as_key(request.POST.get("key"))) if template else None
        context = {"address": address, "templates_there": bool(offered)}
        return self._answer(request, choose(request, door, context, templates))

    def _like(self, request: HttpRequest) -> Conversation | None:
        """The conversation that another one is to be made like."""
        key = request.POST.get("from") or request.GET.get("from")
        if not key:
            return None
        try:
            found: Conversation | None = self.get_queryset(request).filter(pk=key).select_related("template").first()
        except ValidationError:  # no key at all
            return None
        return found

    @about_one
    def draft_view(self, request: HttpRequest, conversation: Conversation) -> HttpResponse:
        refuse_unless(may_generate(request))
        if conversation.status not in doors.OPEN:
            return self._sent_back(request, conversation, f"{conversation} is written already, or is being written.")
        if conversation.version > 1:
            return HttpResponseRedirect(_at(REGENERATE, versions.chain(conversation).current))
        context = {"original": conversation}
        return self._answer(request, choose(request, doors.draft(conversation), context))

    @about_one
    def regenerate_view(self, request: HttpRequest, conversation: Conversation) -> HttpResponse:
        refuse_unless(may_generate(request))
        chain = versions.chain(conversation)
        if reason := versions.objection(conversation, chain):
            return self._sent_back(request, conversation, reason)
        context = {"original": conversation, "under_way": chain.under_way, "replaces": True}
        return self._answer(request, choose(request, doors.next_version(conversation, chain), context))

    def _answer(self, request: HttpRequest, outcome: HttpResponse | Conversation) -> HttpResponse:
        return HttpResponseRedirect(_at(MAKING, outcome)) if isinstance(outcome, Conversation) else outcome

    # What becomes of it.

    @about_one
    def making_view(self, request: HttpRequest, conversation: Conversation) -> HttpResponse:
        if request.method == "POST":
            return self._decided(request, conversation)
        making = making_of(conversation)
        if request.GET.get("on") == BEHIND:
            return self._progress(request, making)
        if making.has_its_page and not _is_poll(request):
            return self._regenerated(request, conversation)
        return changed(self._making_page(request, making))

    def _progress(self, request: HttpRequest, making: Making) -> HttpResponse:
        """As part of the conversation's page, which is loaded anew at the end."""
        if not making.moves:
            return HttpResponseClientRefresh()
        shown = {"making": making, "progress_url": request.get_full_path(), "seconds": POLL_SECONDS}
        return TemplateResponse(request, "batches/one/progress.html", shown)

    def _regenerated(self, request: HttpRequest, conversation: Conversation) -> HttpResponse:
        if conversation.version > 1 and conversation.written:
            self.message_user(request, "Conversation regenerated. Previous version archived.", messages.SUCCESS)
        return leave(request, page_of(conversation))

    def _making_page(self, request: HttpRequest, making: Making) -> HttpResponse:
        conversation = making.conversation
        may = may_generate(request)
        poll = _is_poll(request)
        shown = {
            **({} if poll else self.admin_site.each_context(request)),
            "title": f"Generate {conversation}" if conversation.version == 1 else f"Regenerate {conversation.parent}",
            "opts": self.opts,
            "original": conversation,
            "making": making,
            "progress_url": _at(MAKING, conversation),
            "seconds": POLL_SECONDS,
            "turns": conversation.turns.order_by("position") if making.phase == "written" else [],
            "may_generate": may,
            "may_discard": may_discard(conversation, signed_in(request)),
            "another_url": f"{reverse(f'admin:{NEW}')}?from={conversation.pk}" if conversation.template_id else "",
            "change_url": change_url(conversation),
            "was": request.GET.get("was", ""),
        }
        return TemplateResponse(request, f"batches/one/{'made' if poll else 'making'}.html", shown)

    def _decided(self, request: HttpRequest, conversation: Conversation) -> HttpResponse:
        match request.POST.get("do"):
            case "again":
                return self._tried_again(request, conversation)
            case "discard":
                return self._discarded(request, conversation)
            case "save":
                self.message_user(request, f"{conversation} is saved.", messages.SUCCESS)
        return leave(request, page_of(conversation))

    def _tried_again(self, request: HttpRequest, conversation: Conversation) -> HttpResponse:
        refuse_unless(may_generate(request))
        try:
            ordered = doors.again(conversation, by=signed_in(request))
        except Refused as error:
            return self._sent_back(request, conversation, str(error))
        return HttpResponseRedirect(_at(MAKING, ordered))

    def _discarded(self, request: HttpRequest, conversation: Conversation) -> HttpResponse:
        """Archived, since what was paid for stays on record."""
        if conversation.status not in FRESH:  # pressed twice, or somebody else was quicker
            state = conversation.get_status_display().lower()
            return self._sent_back(request, conversation, f"{conversation} is {state} by now: it was not discarded.")
        if not may_discard(conversation, signed_in(request)):
            raise PermissionDenied
        why = request.POST.get("note", "").strip()[:NOTE]
        note = f"Discarded when it was generated. {why}".strip()
        decided = editing.archive(conversation, by=signed_in(request), note=note)
        if decided.refused:
            return self._sent_back(request, conversation, decided.reason)
        paid = "" if conversation.simulated else f" What it cost, {dollars(conversation.cost_usd)}, was paid."
        self.message_user(request, f"{conversation} is discarded: it is in the archive.{paid}", messages.INFO)
        return leave(request, reverse("admin:conversations_conversation_changelist"))

    def _sent_back(self, request: HttpRequest, conversation: Conversation, reason: str) -> HttpResponse:
        self.message_user(request, reason, messages.ERROR)
        return leave(request, page_of(conversation))


def _is_poll(request: HttpRequest) -> bool:
    """Whether the answer takes the place of the progress. The last one, once it is there, leads on to its page."""
    return request.headers.get("HX-Target") == "progress" and request.GET.get("was") != THERE


def _at(name: str, conversation: Conversation) -> str:
    return reverse(f"admin:{name}", args=[conversation.pk])


def change_url(conversation: Conversation) -> str:
    """Where a conversation that was not written is given other values."""
    return _at(GENERATE, conversation)


def _templates() -> Any:
    """The active ones, in the tiers' order."""
    places = Case(*(When(tier=tier, then=place) for place, tier in enumerate(Tier.values)))
    return visible(PromptTemplate.objects.filter(active=True)).select_related("workspace").order_by(places, "name")


def _template_in(request: HttpRequest, like: Conversation | None) -> dict[str, Any] | None:
    """The template that was chosen; None where none was yet."""
    given = request.POST if request.method == "POST" else request.GET
    if "template" in given:
        return {"template": given["template"]}
    return {"template": like.template_id} if like and like.template_id else None


def regenerate_url(conversation: Conversation) -> str:
    """Where the conversation is regenerated, or what was begun of that is taken up again; empty when it cannot be."""
    if not conversation.written and conversation.version == 1:
        return ""
    chain = versions.chain(conversation)
    if conversation.pk != chain.starting_point.pk and conversation.pk != chain.current.pk:
        return ""
    if versions.objection(chain.current, chain):
        return ""
    return _at(REGENERATE, chain.current)

"""The versions of a conversation: their timeline on its page, and any two of them side by side."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from conversations import versions
from conversations.admin.lists import LeanListAdmin, about_one
from conversations.choices import Status
from conversations.comparison import compare
from conversations.models import Conversation
from conversations.versions import Chain

COMPARE = "conversations_conversation_compare"


class ComparisonForm(forms.Form):
    """Which two versions of a chain to compare, by their numbers."""

    before = forms.TypedChoiceField(coerce=int, label="Earlier version")
    after = forms.TypedChoiceField(coerce=int, label="Later version")

    def __init__(self, data: Any, *, of: Chain) -> None:
        super().__init__(data)
        for field in ("before", "after"):
            self.fields[field].choices = [(one.version, str(one)) for one in of.versions]  # type: ignore[attr-defined]


class VersionsOnPage(LeanListAdmin):
    """The page of a conversation with its versions."""

    def get_urls(self) -> list[URLPattern]:
        compared = path("<path:object_id>/compare/", self.admin_site.admin_view(self.compare_view), name=COMPARE)
        return [compared, *super().get_urls()]

    @admin.display(description="versions")
    def versions_so_far(self, conversation: Conversation) -> str:
        chain = versions.chain(conversation)
        shown = {
            "rows": [_row(version, chain, shown=conversation) for version in reversed(chain.versions)],
            "sentence": _sentence(conversation, chain),
        }
        return render_to_string("conversations/versions.html", shown)

    @about_one
    def compare_view(self, request: HttpRequest, conversation: Conversation) -> HttpResponse:
        chain = versions.chain(conversation)
        form = ComparisonForm({**_two(chain, conversation), **request.GET.dict()}, of=chain)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Versions of {chain.versions[0]}",
            "opts": self.opts,
            "original": conversation,
            "form": form,
            "found": _compared(form, chain),
        }
        return TemplateResponse(request, "conversations/compare.html", context)


def _row(version: Conversation, chain: Chain, *, shown: Conversation) -> dict[str, Any]:
    """A version in the timeline. It is compared with the one before it."""
    earlier = [one for one in chain.versions if one.version < version.version and one.written]
    before = earlier[-1] if earlier and version.written else None
    return {
        "version": version,
        "url": reverse("admin:conversations_conversation_change", args=[version.pk]),
        "here": version.pk == shown.pk,
        "current": version.pk == chain.current.pk,
        "before": before,
        "compare_url": _compare_url(before, version) if before else "",
    }


def _compare_url(before: Conversation, after: Conversation) -> str:
    numbers = urlencode({"before": before.version, "after": after.version})
    return f"{reverse(f'admin:{COMPARE}', args=[after.pk])}?{numbers}"


def _sentence(conversation: Conversation, chain: Chain) -> str:
    """How the version that is shown stands to the others."""
    current, under_way = chain.current, chain.under_way
    if under_way and conversation.pk == under_way.pk:
        return _of_under_way(under_way, current)
    if conversation.pk != current.pk:
        return f"The current version is {current}."
    if under_way:
        return f"{under_way} is to replace this version ({under_way.get_status_display().lower()})."
    former = _former(conversation, chain)
    if former:
        return f"Conversation regenerated. The previous version, {former}, is archived."
    return ""


def _of_under_way(version: Conversation, current: Conversation) -> str:
    stays = f"{current} stays as it is until then."
    match version.status:
        case Status.FAILED:
            return f"This regeneration failed, and {current} is as it was. Regenerate it once more."
        case Status.GENERATING:
            return f"Claude is writing this version at the moment; reload the page in a while. {stays}"
    return f"This version is to replace {current} once it is written. {stays}"


def _former(conversation: Conversation, chain: Chain) -> Conversation | None:
    return next((one for one in chain.versions if one.pk == conversation.parent_id), None)


def _two(chain: Chain, conversation: Conversation) -> dict[str, int]:
    """What is compared at first: the version at hand with its parent, else the two ends of the chain."""
    former = _former(conversation, chain)
    if former:
        return {"before": former.version, "after": conversation.version}
    return {"before": chain.versions[0].version, "after": chain.current.version}


def _compared(form: ComparisonForm, chain: Chain) -> Any:
    if not form.is_valid():
        return None
    by_number = {version.version: version for version in chain.versions}
    return compare(by_number[form.cleaned_data["before"]], by_number[form.cleaned_data["after"]])

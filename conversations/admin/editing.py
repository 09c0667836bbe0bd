"""A conversation's page as the door to `conversations/editing.py`: turns, texts and deletion."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet, construct_instance
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from conversations import editing
from conversations.admin.fields import PlainTextarea
from conversations.admin.lists import LeanListAdmin
from conversations.admin.scoping import WorkspaceRowForm, signed_in
from conversations.changes import may_change_turns
from conversations.choices import TurnRole
from conversations.editing import Edited
from conversations.models import Conversation, Turn
from conversations.turns import cleaned_turns

MOST_ADDED = 8  # empty turns in a page


class OwnRow(forms.ModelChoiceField):
    """The key of the row that a form shows: the row is at hand, where Django asks the database for each."""

    def __init__(self, row: Turn) -> None:
        super().__init__(Turn.objects.none(), required=False, widget=forms.HiddenInput, initial=row.pk)
        self.row = row

    def to_python(self, value: Any) -> Turn | None:
        if not value:
            return None
        if str(value) != str(self.row.pk):
            raise ValidationError("This turn is no longer there. Open the page again.")
        return self.row


class TurnForm(forms.ModelForm):
    # Blanks at the ends stay: they would count as a change. Whether it is empty is asked for all turns together.
    content = forms.CharField(strip=False, required=False, widget=PlainTextarea(attrs={"rows": 4, "cols": 80}))

    class Meta:
        model = Turn
        fields = ["role", "content"]

    def _post_clean(self) -> None:
        """Take the values over. Django would also ask the database about each turn, which checks them all anyway."""
        self.instance = construct_instance(self, self.instance, self._meta.fields, self._meta.exclude)


class TurnFormSet(BaseInlineFormSet):
    """The dialogue as it is to be: what was removed is gone, what was added stands at its end."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if form.instance.pk and not form.instance._state.adding:
            form.fields["id"] = OwnRow(form.instance)
        else:  # they take turns, unless somebody says otherwise
            form.fields["role"].initial = (TurnRole.USER, TurnRole.ASSISTANT)[(index or 0) % 2]
        turn = "Added turn" if index is None else f"Turn {index + 1}"
        for name, label in (("role", f"{turn}: role"), ("content", turn), ("DELETE", f"{turn}: delete")):
            if name in form.fields:
                form.fields[name].widget.attrs["aria-label"] = label

    def turns(self) -> list[dict[str, str]]:
        kept = [form for form in self.initial_forms if form not in self.deleted_forms]
        added = [form for form in self.extra_forms if form.has_changed() and form not in self.deleted_forms]
        return [{name: form.cleaned_data.get(name, "") for name in ("role", "content")} for form in [*kept, *added]]

    def clean(self) -> None:
        super().clean()
        if not any(self.errors) and self.has_changed():
            cleaned_turns(self.turns())


class TurnInline(admin.TabularInline):
    """The dialogue: read by whoever sees the conversation, written by whoever may change it while its status allows."""

    model = Turn
    form = TurnForm
    formset = TurnFormSet
    fields = ["role", "content"]
    template = "conversations/turns.html"

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        """None: a script adds them. `?add=2` has two empty ones in the page, where there is no script."""
        wanted = request.GET.get("add", "")
        return min(int(wanted[:3]), MOST_ADDED) if wanted.isdecimal() else 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = request.user.has_perm("conversations.change_conversation")
        return may and obj is not None and may_change_turns(obj.status)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)


class ConversationForm(WorkspaceRowForm):
    # When the conversation that is shown was last changed: what somebody else does meanwhile is not overwritten.
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if self.instance.updated_at:
            self.initial["seen"] = self.instance.updated_at.isoformat()

    def clean_seen(self) -> datetime | None:
        try:
            return datetime.fromisoformat(self.cleaned_data["seen"])
        except ValueError:
            return None

    def clean(self) -> dict[str, Any]:
        """Told here, where what was typed stays in the page; the service looks again, under its lock."""
        cleaned = super().clean()
        seen = cleaned.get("seen")
        if seen is not None and seen != self.instance.updated_at:
            self.add_error(None, f"{editing.EditedMeanwhile()} Copy what you have written first.")
        return cleaned


class EditingAdmin(LeanListAdmin):
    """Saves and deletes conversations as every other door does."""

    form = ConversationForm
    inlines = (TurnInline,)

    def save_model(self, request: HttpRequest, obj: Conversation, form: Any, change: bool) -> None:
        """Nothing yet: texts and turns are saved together, below."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data if name != "seen"}
        for formset in formsets:
            formset.save(commit=False)  # tells the admin's own log what was changed
            if formset.has_changed():
                changes["turns"] = formset.turns()
        seen = form.cleaned_data.get("seen")
        edited = editing.update(form.instance, changes, by=signed_in(request), seen=seen)
        for sentence in _in_words(edited):
            self.message_user(request, sentence, messages.INFO)

    def change_view(self, request: HttpRequest, object_id: str, *arguments: Any, **options: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().change_view(request, object_id, *arguments, **options)
        except editing.EditedMeanwhile as error:
            return self._refused(request, object_id, str(error))
        except ValidationError as error:
            return self._refused(request, object_id, " ".join(error.messages))
        return response

    def delete_model(self, request: HttpRequest, obj: Conversation) -> None:
        editing.delete(obj, by=signed_in(request))

    def delete_view(self, request: HttpRequest, object_id: str, *arguments: Any, **options: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().delete_view(request, object_id, *arguments, **options)
        except editing.InUse as error:
            return self._refused(request, object_id, str(error))
        return response

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or not editing.why_kept(obj))

    def _refused(self, request: HttpRequest, object_id: str, why: str) -> HttpResponse:
        self.message_user(request, f"Nothing was changed. {why}", messages.ERROR)
        return redirect(reverse("admin:conversations_conversation_change", args=[object_id]))


def _in_words(edited: Edited) -> list[str]:
    """What became of the score, if the turns were changed."""
    if "turns" not in edited.fields:
        return []
    before, after = edited.score_before, edited.score_after
    sentences = [f"Quality {after}, as before." if before == after else f"Quality {before} → {after}."]
    if edited.sent_to_review:
        sentences.append("It now waits for review.")
    return sentences

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from conversations.admin.display import list_link, page_link
from conversations.admin.fields import PlainTextarea
from conversations.admin.scoping import VisibleRelatedFilter, WorkspaceRowAdmin, WorkspaceRowForm, signed_in
from conversations.documents import SameText, check_dimensions, check_text, refuse_known, take_in
from conversations.models import Chunk, Document


class DocumentForm(WorkspaceRowForm):
    """A new document: its text is pasted whole, and cut into chunks."""

    text = forms.CharField(
        widget=PlainTextarea(attrs={"rows": 30}),
        validators=[check_text],
        help_text="A line of three dashes (---) begins a new chunk. Chunks can be changed, added and removed later.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "text" in cleaned and "workspace" in cleaned:
            try:
                refuse_known(cleaned["workspace"].pk, cleaned["text"])
            except SameText as same:
                self.add_error("text", str(same))
        return cleaned


class ChunkForm(WorkspaceRowForm):
    def clean_dimensions(self) -> dict[str, Any]:
        dimensions: dict[str, Any] = self.cleaned_data["dimensions"]
        check_dimensions(dimensions)
        return dimensions


class ChunkInline(admin.TabularInline):
    """The chunks of a document at a glance; each is changed on its own page, since there may be hundreds."""

    model = Chunk
    fields = ["position", "start"]
    readonly_fields = ["position", "start"]
    classes = ["bare"]
    can_delete = False
    extra = 0

    @admin.display(description="text")
    def start(self, chunk: Chunk) -> SafeString:
        return page_link("conversations_chunk", chunk.pk, Truncator(chunk.text).words(40))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("document")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Document)
class DocumentAdmin(WorkspaceRowAdmin):
    purpose = (
        "Texts that conversations can draw on. Each is cut into chunks, the passages that a conversation "
        "is written from."
    )
    list_display = ["title", "source", "chunk_count", "created_by", "created_at"]
    list_filter = ["created_at"]
    list_select_related = ["created_by"]
    search_fields = ["title", "source"]
    ordering = ["title"]
    readonly_fields = ["content_hash", "created_by", "created_at"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(chunks_in_it=Count("chunks"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        if obj is None:
            return ["workspace", "title", "source", "text"]
        return ["workspace", "title", "source", "content_hash", "created_by", "created_at"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if not change:
            kwargs["form"] = DocumentForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return [ChunkInline] if obj else []

    def save_model(self, request: HttpRequest, obj: Document, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
        else:
            take_in(obj, form.cleaned_data["text"], by=signed_in(request))

    @admin.display(description="chunks", ordering="chunks_in_it")
    def chunk_count(self, document: Any) -> SafeString:
        return list_link("conversations_chunk", document.chunks_in_it, {"document__id__exact": document.pk})


@admin.register(Chunk)
class ChunkAdmin(WorkspaceRowAdmin):
    purpose = "Passages of the documents. A conversation that is linked to one is written from what it says."
    form = ChunkForm
    list_display = ["place", "start", "labels", "complexity", "conversation_count"]
    list_filter = [("document", VisibleRelatedFilter)]
    list_select_related = ["document"]
    search_fields = ["text", "document__title"]
    ordering = ["document__title", "position"]
    autocomplete_fields = ["document"]
    fields = ["document", "position", "text", "dimensions"]

    class Media:
        js = ["convgen/autocomplete.js"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(used_by=Count("conversations"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["document"] if obj else []

    def save_model(self, request: HttpRequest, obj: Chunk, form: Any, change: bool) -> None:
        obj.workspace_id = obj.document.workspace_id
        super().save_model(request, obj, form, change)

    @admin.display(description="chunk", ordering="document__title")
    def place(self, chunk: Chunk) -> str:
        return str(chunk)

    @admin.display(description="text")
    def start(self, chunk: Chunk) -> str:
        return Truncator(chunk.text).words(24)

    @admin.display(description="labels")
    def labels(self, chunk: Chunk) -> str:
        return ", ".join(map(str, chunk.dimensions.get("labels", [])))

    @admin.display(description="complexity", ordering="dimensions__complexity")
    def complexity(self, chunk: Chunk) -> str:
        return str(chunk.dimensions.get("complexity", ""))

    @admin.display(description="conversations", ordering="used_by")
    def conversation_count(self, chunk: Any) -> SafeString:
        return list_link("conversations_conversation", chunk.used_by, {"chunk__id__exact": chunk.pk})

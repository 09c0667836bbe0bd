"""Small pieces of HTML that several pages show."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString


def badge(text: str, kind: str = "") -> SafeString:
    """A word in a frame; `kind` is a status, whose colours are in `conversations/admin.css`."""
    return format_html('<span class="badge badge-{}">{}</span>', kind or "plain", text)


def simulated_badge() -> SafeString:
    return badge("Simulated", "simulated")


def page_link(page: str, key: object, text: object) -> SafeString:
    """A link to the page of one row: `page_link("batches_batchjob", job.pk, job.name)`."""
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{page}_change", args=[key]), text)


def list_link(page: str, text: object, filters: Mapping[str, Any]) -> SafeString:
    """A link to a filtered list."""
    return format_html('<a href="{}?{}">{}</a>', reverse(f"admin:{page}_changelist"), urlencode(filters), text)


def with_sentence(mark: SafeString, sentence: str) -> SafeString:
    """A badge, and below it the sentence that explains it, if there is one."""
    return format_html('{}<p class="sentence">{}</p>', mark, sentence) if sentence else mark


def problem(sentence: str) -> SafeString:
    """A sentence that is not to be overlooked."""
    return format_html('<p class="errornote">{}</p>', sentence)


def usd(amount: Any) -> str:
    """$0.0123: with four places, since one conversation costs cents."""
    return f"${amount:.4f}"

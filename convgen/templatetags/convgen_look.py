"""What every page is made of: icons, and the navigation."""

from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from convgen.navigation import Entry, entries_for

register = template.Library()


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A symbol of `convgen/static/convgen/icons.svg`; without a `label` it is an ornament, and is not read out."""
    told = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    address = f"{static('convgen/icons.svg')}#{name}"
    return format_html('<svg class="icon" {}><use href="{}"></use></svg>', told, address)


@register.filter
def deferred(media: object) -> SafeString:
    """A form's scripts, each run after the page is read, in their order."""
    return mark_safe(str(media).replace("<script src=", "<script defer src="))


@register.inclusion_tag("admin/navigation.html", takes_context=True)
def navigation(context: dict[str, Any]) -> dict[str, list[Entry]]:
    """The entries that the person may open, the one that the page belongs to marked."""
    return {"entries": entries_for(context["request"])}

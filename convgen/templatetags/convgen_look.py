"""What every page is made of: icons, and the navigation."""

from typing import Any

from django import template
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.forms import BaseForm, Media
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from convgen.navigation import Entry, entries_for

register = template.Library()

# Django's scripts of forms: what each is for.
FOR_LISTS = ("actions.js",)
FOR_FILLING_IN = ("urlify.js", "prepopulate.js", "xregexp.js")  # one field from another
EVERYWHERE = ("jquery.js", "jquery.init.js", "core.js", "RelatedObjectLookups.js")


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A symbol of `convgen/static/convgen/icons.svg`; without a `label` it is an ornament, and is not read out."""
    told = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    address = f"{static('convgen/icons.svg')}#{name}"
    return format_html('<svg class="icon" {}><use href="{}"></use></svg>', told, address)


@register.simple_tag(takes_context=True)
def form_media(context: dict[str, Any]) -> SafeString:
    """A form's style sheets and scripts, each run after the page is read, in their order: those that it has a use for.

    Django's own come with every form, 90 kB of them, which most of ours do not need.
    """
    media, adminform = context["media"], context["adminform"]
    unused = set(FOR_LISTS)
    if not adminform.prepopulated_fields:
        unused |= set(FOR_FILLING_IN)
        if not _has_related(adminform.form) and not _names(media) - {*EVERYWHERE, *FOR_LISTS, *FOR_FILLING_IN}:
            unused |= set(EVERYWHERE)
    scripts = [script for script in media._js if _name(script) not in unused]
    kept = str(Media(css=media._css, js=scripts))
    return mark_safe(kept.replace("<script src=", "<script defer src="))


def _has_related(form: BaseForm) -> bool:
    """Whether a field has links beside it, to add or change what it offers."""
    return any(isinstance(field.widget, RelatedFieldWidgetWrapper) for field in form.fields.values())


def _names(media: Any) -> set[str]:
    return {_name(script) for script in media._js}


def _name(script: object) -> str:
    return str(script).rsplit("/", 1)[-1].replace(".min.js", ".js")


@register.inclusion_tag("admin/navigation.html", takes_context=True)
def navigation(context: dict[str, Any]) -> dict[str, list[Entry]]:
    """The entries that the person may open, the one that the page belongs to marked."""
    return {"entries": entries_for(context["request"])}

"""How Claude is asked, on the pages of templates and workspaces: fields that are checked, and what holds in the end."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import BaseModelAdmin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations.admin.display import problem
from conversations.models.configuration import CONFIGURATION, Configured
from generation.model_catalogue import end_of_life
from generation.writable import in_force

FIELDSET: Any = ("How Claude is asked", {"fields": [*CONFIGURATION, "in_force"]})


class ConfiguredForm(forms.ModelForm):
    """Refuses values that the model would not take, each beside its field."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors.keys() & set(CONFIGURATION):
            if workspace := cleaned.get("workspace"):  # a new template's: it has its say, too
                self.instance.workspace = workspace
            for name in CONFIGURATION:
                if name in self.fields:
                    setattr(self.instance, name, cleaned[name])
            for name, words in in_force(self.instance).problems().items():
                self.add_error(name if name in self.fields else None, words)
        return cleaned


class ConfiguredAdmin(BaseModelAdmin):
    """Shows what holds, and warns of models that come to their end."""

    @admin.display(description="in force")
    def in_force(self, configured: Configured) -> SafeString:
        configuration = in_force(configured)
        said = format_html("{}", configuration.in_words())
        if ends := end_of_life(configuration.model):
            return format_html("{}{}", said, problem(ends))
        return said

    def warn_of_the_end(self, request: HttpRequest, configured: Configured) -> None:
        if ends := end_of_life(configured.model):
            messages.warning(request, ends)

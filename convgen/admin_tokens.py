"""API tokens in the admin: each person's own, and everybody's for superusers."""

import knox.admin  # noqa: F401  (registers a page of its own, with whole hashes, which is taken away below)
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.helpers import AdminForm
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers
from knox.models import AuthToken

from convgen import tokens
from convgen.models import ApiToken, User

admin.site.unregister(AuthToken)


class TokenForm(forms.Form):
    days = forms.IntegerField(
        min_value=1,
        max_value=settings.API_TOKEN_DAYS,
        initial=settings.API_TOKEN_DAYS,
        label="Days",
        help_text="For how many days it is valid.",
    )


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):
    """Whoever is let into the admin may have tokens of her own. A superuser sees all of them, and may revoke them."""

    purpose = "With a token your programs use the API as you, with what your role permits."
    list_display = ["beginning", "owner", "created", "expiry", "state"]
    fields = ("beginning", "owner", "created", "expiry", "state")
    readonly_fields = fields
    search_fields = ["user__username", "token_key"]
    list_select_related = ["user"]
    ordering = ["-created", "digest"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        everybody_s = super().get_queryset(request)
        return everybody_s if request.user.is_superuser else everybody_s.filter(user=request.user)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return obj is None or self._is_hers(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return obj is None or self._is_hers(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def _is_hers(self, request: HttpRequest, token: ApiToken) -> bool:
        return bool(request.user.is_superuser) or token.user_id == request.user.pk

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """A form for a token of the person's own. The answer shows it, and no message keeps it."""
        form, created, text = TokenForm(request.POST or None), None, ""
        if form.is_valid():
            try:
                created, text = tokens.create(_person(request), days=form.cleaned_data["days"])
                self.log_addition(request, created, "Created.")
            except tokens.TokenRefused as refused:
                form.add_error(None, str(refused))
        context = {
            **self.admin_site.each_context(request),
            "title": "Your new API token" if created else "Create an API token",
            "opts": self.opts,
            "form": form,
            "adminform": AdminForm(form, [(None, {"fields": ["days"]})], {}),  # type: ignore[arg-type]  # no model's form
            "created": created,
            "token": text,
        }
        response = TemplateResponse(request, "admin/convgen/apitoken/create.html", context)
        add_never_cache_headers(response)  # `no-store` among them
        return response

    @admin.display(description="token", ordering="token_key")
    def beginning(self, token: ApiToken) -> str:
        return str(token)

    @admin.display(description="user", ordering="user__username")
    def owner(self, token: ApiToken) -> str:
        return str(token.user)

    @admin.display(description="state")
    def state(self, token: ApiToken) -> str:
        if not token.user.is_active:
            return "account not active"
        return "ended" if token.has_ended else "valid"


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user

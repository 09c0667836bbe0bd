from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from conversations.admin.scoping import signed_in
from conversations.choosing import SESSION_KEY, WorkspaceRefused, choose


@require_POST
@staff_member_required(redirect_field_name=None)  # after the login, nothing is posted
def choose_workspace(request: HttpRequest) -> HttpResponse:
    """Work in another workspace from now on: `workspace` is its slug, or * for all; `next` the page to return to."""
    slug = request.POST.get("workspace", "")
    try:
        choose(signed_in(request), asked=slug)
    except WorkspaceRefused as refused:
        messages.error(request, str(refused))
    else:
        request.session[SESSION_KEY] = slug
    return redirect(_page_to_return_to(request))


def _page_to_return_to(request: HttpRequest) -> str:
    """The page that the form names; the index, if it is not one of ours or shows a row, which is of one workspace."""
    page = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure()):
        return "admin:index"
    try:
        shows_a_row = bool(resolve(urlsplit(page).path).kwargs)
    except Resolver404:
        return "admin:index"
    return "admin:index" if shows_a_row else page

"""Ways through the admin, for its tests."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.messages import get_messages
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conversations.models import Membership, Workspace
from convgen.models import User
from tests.factories import UserFactory


def member(workspace: Workspace, role: str = "curator", *, without: Iterable[str] = ()) -> Client:
    """A browser in which a member of the workspace is signed in. Her role lacks the permissions `without`."""
    user = UserFactory(is_staff=True)
    Membership.objects.update_or_create(workspace=workspace, user=user, defaults={"role": role})
    lacking = permissions(*without)
    Group.objects.get(name=role).permissions.remove(*lacking)
    return browser_of(user)


def outsider() -> Client:
    """A browser in which somebody of the staff is signed in who is a member of no workspace."""
    user = UserFactory(is_staff=True)
    user.memberships.all().delete()  # she joined the default workspace, if there is one
    return browser_of(user)


def browser_of(user: User, **headers: str) -> Client:
    client = Client(headers=headers)
    client.force_login(user)
    return client


def permissions(*codenames: str) -> list[Permission]:
    """Permissions by names such as `view_conversation`."""
    found = list(Permission.objects.filter(codename__in=codenames))
    assert len(found) == len(codenames)
    return found


def list_of(model: type[Model], /, **filters: Any) -> str:
    return reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist", query=filters or None)


def add_to(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_add")


def page_of(row: Model, page: str = "change") -> str:
    return reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_{page}", args=[row.pk])


def listed(client: Client, model: type[Model], /, **filters: Any) -> set[Any]:
    """The keys of the rows that a list shows."""
    response = client.get(list_of(model, **filters))
    assert response.status_code == 200
    return {row.pk for row in response.context["cl"].result_list}


def run(client: Client, action: str, rows: Iterable[Model], **fields: Any) -> list[str]:
    """Run an action on rows of one list, confirm it where it asks, and return what it says."""
    rows = list(rows)
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return said(confirmed(client, list_of(type(rows[0])), data, **fields))


def confirmed(client: Client, url: str, data: dict[str, Any], **fields: Any) -> Any:
    """The answer to an action, once it is confirmed with what its form was filled in with."""
    response = client.post(url, data)
    if response.status_code != 200 or "asked" not in response.context:
        return response
    return client.post(url, {**data, "agreed": response.context["asked"].fingerprint, **fields})


def said(response: Any) -> list[str]:
    assert response.status_code == 302
    return [str(message) for message in get_messages(response.wsgi_request)]


def queries_of(client: Client, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in captured]


def columns_written(client: Client, row: Model, **changes: Any) -> set[str]:
    """The columns that saving the page of a row writes, with some changes to its form."""
    data = filled_in(client, page_of(row), **changes)
    with CaptureQueriesContext(connection) as captured:
        assert client.post(page_of(row), data).status_code == 302
    start = f'UPDATE "{row._meta.db_table}" SET '
    (update,) = [query["sql"] for query in captured if query["sql"].startswith(start)]
    return {
        column.name for column in row._meta.concrete_fields if f'"{column.column}" = ' in update.split(" WHERE ")[0]
    }


def filled_in(client: Client, url: str, **changes: Any) -> dict[str, Any]:
    """What a browser would send if a form were saved as it stands, with some changes."""
    response = client.get(url)
    assert response.status_code == 200
    context = response.context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    data = {}
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is not None and value is not False:
                data[bound.html_name] = value.replace("\n", "\r\n") if isinstance(value, str) else value
    return {**data, **changes}

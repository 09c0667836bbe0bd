"""The API as pages, for people."""

import json
import re
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from conversations.choices import Role
from conversations.models import Workspace
from convgen.api.description import description
from convgen.api.pages import coloured
from convgen.models import User
from tests.api_client import Api, problems
from tests.factories import DimensionFactory, MembershipFactory, UserFactory, WorkspaceFactory, batch_of

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}  # as browsers ask


def member(workspace: Workspace, role: Role) -> Client:
    """The browser of a member who has signed in."""
    client = Client(headers=HTML, raise_request_exception=False)
    client.force_login(MembershipFactory(workspace=workspace, user=UserFactory(is_staff=True), role=role).user)
    return client


@pytest.fixture
def browser(workspace: Workspace) -> Client:
    return member(workspace, Role.LEAD)


def answered(response: Any) -> Any:
    """The JSON that a page shows."""
    shown = re.search(r'<pre class="json"[^>]*>(.*?)</pre>', response.content.decode(), re.DOTALL)
    assert shown
    text = re.sub(r"<[^>]+>", "", shown[1])
    for entity, sign in (("&quot;", '"'), ("&#x27;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, sign)
    return json.loads(text)


def test_a_list_is_shown_with_its_filters_its_pages_and_what_can_be_sent(browser: Client, workspace: Workspace) -> None:
    for position in range(3):
        DimensionFactory(workspace=workspace, position=position)
    page = browser.get("/api/dimensions/?page_size=1")
    assert answered(page) == browser.get("/api/dimensions/?page_size=1", headers={"Accept": "application/json"}).json()
    for part in ('name="kind"', 'name="ordering"', 'rel="next"', 'data-method="POST"', workspace.name):
        assert part in page.content.decode()


def test_a_session_works_in_the_workspace_that_was_chosen(browser: Client, workspace: Workspace) -> None:
    other = WorkspaceFactory()
    MembershipFactory(workspace=other, user=User.objects.get(), role=Role.LEAD)
    DimensionFactory(workspace=other, name="Of the other one")
    browser.post(reverse("choose-workspace"), {"workspace": other.slug, "next": "/api/dimensions/"}, follow=True)
    page = browser.get("/api/dimensions/")
    assert [row["name"] for row in answered(page)["results"]] == ["Of the other one"]
    assert f"Workspace <strong>{other.name}</strong>" in page.content.decode()


def test_a_page_offers_what_the_role_may_do(workspace: Workspace) -> None:
    dimension = DimensionFactory(workspace=workspace)
    offered = {
        role: set(re.findall(r'data-method="(\w+)"', page.content.decode()))
        for role in (Role.OPERATOR, Role.CURATOR, Role.LEAD)
        for page in [member(workspace, role).get(f"/api/dimensions/{dimension.pk}/")]
    }
    assert offered == {Role.OPERATOR: set(), Role.CURATOR: {"PATCH"}, Role.LEAD: {"PATCH", "DELETE"}}


def test_errors_are_pages_of_the_same_shape(browser: Client, workspace: Workspace, elsewhere: Workspace) -> None:
    hidden = DimensionFactory(workspace=elsewhere)
    for path, status, code in (
        ("/api/dimensions/?kind=mood", 400, "invalid_choice"),
        (f"/api/dimensions/{hidden.pk}/", 404, "not_found"),
        ("/api/nothing/", 404, "not_found"),
        ("/api/batches/estimate/", 405, "method_not_allowed"),
    ):
        page = browser.get(path)
        assert (page.status_code, answered(page)["errors"][0]["code"]) == (status, code)
    refused = member(workspace, Role.OPERATOR).post("/api/dimensions/", {}, content_type="application/json")
    assert (refused.status_code, answered(refused)["errors"][0]["code"]) == (403, "permission_denied")


def test_an_address_in_several_lines_is_not_there_either(client: Client, db: None) -> None:
    assert problems(client.get("/api/batches/%0Ano/"), 404) == {None: "not_found"}


def test_a_download_that_is_refused_is_a_page_as_well(browser: Client) -> None:
    page = browser.get(f"/api/exports/{uuid4()}/download/")
    assert (page.status_code, answered(page)["errors"][0]["code"]) == (404, "not_found")
    assert "Try it out" in page.content.decode()


def test_who_is_signed_out_is_led_to_the_login(client: Client, db: None) -> None:
    page = client.get("/api/dimensions/?active=true", headers=HTML)
    assert page.status_code == 401
    assert "/admin/login/?next=/api/dimensions/%3Factive%3Dtrue" in page.content.decode()


def test_a_workspace_that_is_not_hers_is_told_to_a_session_as_to_a_token(browser: Client, elsewhere: Workspace) -> None:
    refused = browser.get("/api/dimensions/", headers={"Accept": "application/json", "X-Workspace": elsewhere.slug})
    assert problems(refused, 404) == {None: "not_found"}


def test_a_session_needs_the_csrf_token(workspace: Workspace) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(MembershipFactory(workspace=workspace, user=UserFactory(), role=Role.LEAD).user)
    body = {"kind": "topic", "name": "Rent"}
    refused = client.post("/api/dimensions/", body, content_type="application/json")
    assert problems(refused, 403) == {None: "permission_denied"}
    client.get("/api/dimensions/", headers=HTML)
    token = client.cookies["csrftoken"].value
    sent = client.post("/api/dimensions/", body, content_type="application/json", headers={"X-CSRFToken": token})
    assert sent.status_code == 201


@pytest.mark.parametrize("path", description()["paths"])
def test_every_address_is_a_page(browser: Client, path: str) -> None:
    """About what is not there, or by a method that it does not have: an error at home."""
    page = browser.get(re.sub(r"{[^}]*}", str(uuid4()), path))
    assert page["Content-Type"].startswith("text/html")
    assert page.status_code in (200, 400, 404, 405)
    assert "convgen" in page.content.decode()


def test_a_form_begins_with_the_schemas_example(browser: Client) -> None:
    page = browser.get("/api/batches/estimate/").content.decode()
    assert "&quot;selection&quot;: &quot;gaps&quot;" in page


def test_what_a_batchs_form_begins_with_can_be_sent_as_it_stands(browser: Client, workspace: Workspace) -> None:
    path = f"/api/batches/{batch_of('queued', workspace=workspace).pk}/"
    page = browser.get(path).content.decode()
    form = re.search(r'data-method="PATCH".*?<textarea[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert form
    changed = browser.patch(path, unescape(form[1]), content_type="application/json")
    assert (changed.status_code, answered(changed)["budget_usd"]) == (200, "25.000000")
    assert f'href="{path}items/"' in page


def test_json_is_coloured_and_nothing_in_it_becomes_html() -> None:
    value = {"a": '<script>"&', "b": [1, -2.5, True, None], "c": "https://x.example/?a=1&b=<"}
    shown = coloured(json.dumps(value, indent=4))
    assert "<script>" not in shown
    assert '<a href="https://x.example/?a=1&amp;b=&lt;">' in shown
    assert "href" not in coloured('"javascript:alert(1)"')
    assert "href" not in coloured('"http://[ no address"')


def test_the_root_leads_to_every_list(client: Client, db: None) -> None:
    links = client.get("/api/").json()
    assert list(links) == [
        *("batches", "chunks", "conversations", "coverage", "dimensions", "documents", "exports", "generation-logs"),
        *("rate-limit", "templates", "tokens", "workspaces", "schema", "docs", "redoc"),
    ]
    assert links["rate-limit"] == "http://testserver/api/rate-limit/"


def test_the_schema_is_served_as_yaml_and_as_json(client: Client, db: None) -> None:
    assert client.get("/api/schema/").content.startswith(b"openapi: 3")
    in_json = client.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert in_json.json()["paths"].keys() == description()["paths"].keys()


def test_what_is_public_is_throttled_by_address(client: Client, db: None, settings: Any) -> None:
    settings.API_ANONYMOUS_PER_MINUTE = 2
    assert [client.get("/api/schema/").status_code for _ in range(3)] == [200, 200, 429]
    assert problems(client.get("/api/schema/"), 429) == {None: "throttled"}
    page = client.get("/api/docs/", headers=HTML)
    assert (page.status_code, answered(page)["errors"][0]["code"]) == (429, "throttled")


def test_who_is_signed_in_reads_it_as_one_of_her_reads(curator: Api, settings: Any) -> None:
    settings.API_ANONYMOUS_PER_MINUTE = 1
    settings.API_READS_PER_MINUTE = 50
    assert [curator.get("schema/")["RateLimit-Remaining"] for _ in range(2)] == ["49", "48"]

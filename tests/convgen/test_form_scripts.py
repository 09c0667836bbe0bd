"""A form's page loads the scripts that it has a use for, and no others."""

import re

from django.db.models import Model
from django.test import Client

from conversations.models import Dimension, Membership, Workspace
from tests.admin_pages import add_to, page_of
from tests.factories import batch_of


def scripts(client: Client, path: str) -> set[str]:
    page = client.get(path).content.decode()
    deferred = re.findall(r'<script defer src="[^"]*admin/js/(?:\w+/)*([\w.]+?)(?:\.min)?\.js"', page)
    return set(deferred)


def of_adding(client: Client, model: type[Model]) -> set[str]:
    return scripts(client, add_to(model))


def test_one_that_has_plain_fields_loads_none(admin_client: Client, starter: Workspace) -> None:
    assert scripts(admin_client, page_of(batch_of(workspace=starter, status="paused"))) == set()
    assert of_adding(admin_client, Dimension) & {"jquery", "xregexp", "actions"} == set()


def test_one_that_fills_in_a_field_from_another_loads_what_that_takes(admin_client: Client) -> None:
    assert {"jquery", "jquery.init", "prepopulate", "urlify", "xregexp"} <= of_adding(admin_client, Workspace)


def test_one_that_offers_rows_of_another_model_loads_what_that_takes(admin_client: Client, starter: Workspace) -> None:
    loaded = of_adding(admin_client, Membership)
    assert {"jquery", "jquery.init", "autocomplete", "RelatedObjectLookups"} <= loaded
    assert loaded & {"xregexp", "actions"} == set()


def test_one_with_rows_below_it_loads_what_adds_them(admin_client: Client, starter: Workspace) -> None:
    assert {"jquery", "inlines"} <= scripts(admin_client, page_of(starter))

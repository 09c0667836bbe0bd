"""Lists that have never held anything, and what each list is for."""

import pytest
from django.contrib import admin

from conversations.models import Dimension, Workspace
from tests.admin_pages import add_to, list_of, member

pytestmark = pytest.mark.django_db

OWN_WORDS = {"Conversation", "BatchJob", "Export"}  # their empty lists have pages of their own
OTHERS = [model for model in admin.site._registry if model.__name__ not in OWN_WORDS]


@pytest.mark.parametrize("model", OTHERS, ids=lambda model: model._meta.label)
def test_each_list_has_a_sentence_that_says_what_it_is_for(model: type) -> None:
    assert getattr(admin.site._registry[model], "purpose", "").endswith(".")


def test_an_empty_list_leads_to_the_first_row(workspace: Workspace) -> None:
    page = member(workspace).get(list_of(Dimension)).content.decode()
    main = page[page.index("<main") :]
    assert "Nothing here yet" in main, main
    assert f'href="{add_to(Dimension)}"' in main
    assert 'id="searchbar"' not in page


def test_a_search_that_finds_nothing_keeps_its_box(workspace: Workspace) -> None:
    page = member(workspace).get(list_of(Dimension, q="nothing-has-this-name")).content.decode()
    assert "Nothing here yet" not in page and 'id="searchbar"' in page


def test_who_may_not_add_is_not_led_there(workspace: Workspace) -> None:
    page = member(workspace, without=["add_dimension"]).get(list_of(Dimension)).content.decode()
    assert "Nothing here yet" in page and add_to(Dimension) not in page

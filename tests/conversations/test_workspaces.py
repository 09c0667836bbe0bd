"""Which workspace a command works in."""

import pytest

from conversations.workspaces import WorkspaceUnknown, find_workspace
from tests.factories import WorkspaceFactory

pytestmark = pytest.mark.django_db


def test_a_slug_names_it() -> None:
    WorkspaceFactory(slug="first", is_default=True)
    second = WorkspaceFactory(slug="second")
    assert find_workspace("second") == second


def test_without_a_slug_it_is_the_default_one() -> None:
    WorkspaceFactory()
    default = WorkspaceFactory(is_default=True)
    assert find_workspace() == default


def test_an_unknown_slug_is_refused_with_those_that_there_are() -> None:
    WorkspaceFactory(slug="first", name="A")
    WorkspaceFactory(slug="second", name="B")
    with pytest.raises(WorkspaceUnknown, match=r"There is no workspace “third”. Choose one .*: first, second."):
        find_workspace("third")


def test_without_a_default_one_has_to_be_chosen() -> None:
    WorkspaceFactory(slug="first")
    with pytest.raises(
        WorkspaceUnknown, match=r"No workspace is the default one\. Choose one with --workspace: first."
    ):
        find_workspace()


def test_before_there_is_any_the_starter_is_offered() -> None:
    with pytest.raises(WorkspaceUnknown, match=r"manage\.py load_starter"):
        find_workspace()

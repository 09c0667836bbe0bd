import pytest

from conversations.choices import Role
from conversations.models import Workspace
from tests.api_client import Api, api_as
from tests.factories import WorkspaceFactory


@pytest.fixture
def workspace(db: None) -> Workspace:
    return WorkspaceFactory()


@pytest.fixture
def elsewhere(db: None) -> Workspace:
    """A workspace that is not the client's."""
    return WorkspaceFactory()


@pytest.fixture
def curator(workspace: Workspace) -> Api:
    return api_as(Role.CURATOR, workspace)


@pytest.fixture
def lead(workspace: Workspace) -> Api:
    return api_as(Role.LEAD, workspace)


@pytest.fixture
def reviewer(workspace: Workspace) -> Api:
    return api_as(Role.REVIEWER, workspace)


@pytest.fixture
def operator(workspace: Workspace) -> Api:
    return api_as(Role.OPERATOR, workspace)

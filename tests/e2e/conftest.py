from collections.abc import Iterator

import pytest
from django.db import connections


@pytest.fixture(autouse=True, scope="session")
def _connections_end_with_their_request(django_db_setup: None) -> Iterator[None]:
    """The live server's threads must not keep connections: the test database could not be dropped."""
    settings = connections.settings["default"]
    before = settings["CONN_MAX_AGE"]
    settings["CONN_MAX_AGE"] = 0
    yield
    settings["CONN_MAX_AGE"] = before

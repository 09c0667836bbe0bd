"""A client that a program made from the schema in the documentation: it does a day's work on a real site."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings
from knox.models import AuthToken

from conversations.models import Conversation, Workspace
from convgen.models import User
from generation.simulated.server import SimulatedClaude
from tests.processes import eventually, web, worker

GENERATOR = str(Path(sys.executable).with_name("openapi-python-client"))
SCHEMA, CONFIG = (Path(settings.BASE_DIR, "docs/api", name) for name in ("openapi.yaml", "python-client.yaml"))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of the client's package, made without a warning."""
    command = [GENERATOR, "generate", "--path", str(SCHEMA), "--config", str(CONFIG), "--meta", "none"]
    made = subprocess.run(
        [*command, "--fail-on-warning"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    monkeypatch.syspath_prepend(tmp_path)
    yield "convgen_client"
    for name in [name for name in sys.modules if name.partition(".")[0] == "convgen_client"]:
        del sys.modules[name]


@pytest.fixture
def site(transactional_db: None, claude: SimulatedClaude, starter: Workspace) -> Iterator[str]:
    with worker(BATCH_SLICE_SECONDS="20"), web() as address:
        yield address


def test_a_generated_client_generates_follows_exports_and_downloads(package: str, site: str) -> None:
    def operation(tag: str, name: str) -> ModuleType:
        return importlib.import_module(f"{package}.api.{tag}.{name}")

    models = importlib.import_module(f"{package}.models")
    _row, token = AuthToken.objects.create(User.objects.create_superuser("engineer"))
    client = importlib.import_module(package).AuthenticatedClient(
        base_url=site, token=token, raise_on_unexpected_status=True, timeout=60
    )

    def call(tag: str, name: str, *path: Any, **options: Any) -> Any:
        told = operation(tag, name).sync(*path, client=client, **options)
        assert not isinstance(told, models.Errors), told
        return told

    before = call("conversations", "conversations_list")
    assert (before.results, before.next_) == ([], None)
    order = models.OrderRequest.from_dict({"tier": "edge_case", "concurrency": 5})
    started = call("generation", "conversations_generate_batch", body=order, idempotency_key="once")
    assert call("generation", "conversations_generate_batch", body=order, idempotency_key="once").id == started.id
    eventually(lambda: call("batches", "batches_status", started.id).ended, seconds=60)
    summary = call("batches", "batches_summary", started.id)
    assert summary.succeeded == started.total > 0
    listed = call("conversations", "conversations_list", batch=started.id, page_size=200).results
    names = [each.conversation_id for each in listed]
    assert sorted(names) == sorted(Conversation.objects.values_list("conversation_id", flat=True))
    decision = models.DecisionsRequest.from_dict({"conversation_ids": names, "decision": "approve"})
    assert call("review", "conversations_review_many", body=decision).status == "approved"
    export = call("exports", "exports_create", body=models.NewExportRequest.from_dict({"include_simulated": True}))
    file = operation("exports", "exports_download").sync_detailed(export.id, client=client)
    assert (file.status_code, file.content.count(b"\n")) == (200, len(names))

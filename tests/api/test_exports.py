import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from conversations.api.file_response import FileInBlocks
from conversations.exporting import export_conversations
from conversations.models import Conversation, Export, Workspace
from tests.api_client import Api, api_as, problems, told
from tests.factories import ConversationFactory, ExportFactory, TurnFactory


def approved(workspace: Workspace, **values: Any) -> Conversation:
    made: Conversation = ConversationFactory(workspace=workspace, **{"status": "approved", **values})
    for position, (role, content) in enumerate([("user", "Where do I begin?"), ("assistant", "With rent.")], start=1):
        TurnFactory(conversation=made, position=position, role=role, content=content)
    return made


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path / "exports"


def whole(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_an_export_is_written_recorded_and_downloaded(operator: Api, workspace: Workspace, folder: Path) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(training_system_prompt="You are a planner.")
    approved(workspace)
    made = operator.post("exports/", {"format": "openai", "scope": "approved"})
    assert made.status_code == 201
    body = made.json()
    assert (body["conversation_count"], body["skipped"], body["include_simulated"]) == (1, {}, False)
    record = Export.objects.get()
    assert (str(record.pk), record.created_by.username) == (body["id"], body["created_by"])
    assert made["Location"] == f"http://testserver/api/exports/{record.pk}/"
    assert operator.get(made["Location"]).json() == body
    assert str(folder) not in made.content.decode()

    (file,) = (folder / workspace.slug).iterdir()
    assert file.name.startswith(f"{workspace.slug}-approved-openai-")
    downloaded = operator.get(body["download_url"])
    assert downloaded.status_code == 200
    assert downloaded["Content-Type"] == "application/jsonl"
    assert downloaded["Content-Disposition"] == f'attachment; filename="{file.name}"'
    content = whole(downloaded)
    assert int(downloaded["Content-Length"]) == len(content) == body["byte_count"]
    assert json.loads(content)["messages"][0] == {"role": "system", "content": "You are a planner."}


def test_a_download_is_known_by_its_etag_and_may_be_asked_for_by_its_type(
    operator: Api, workspace: Workspace, folder: Path
) -> None:
    approved(workspace)
    path = operator.post("exports/", {}).json()["download_url"]
    etag = operator.get(path, headers={"Accept": "application/jsonl"})["ETag"]
    assert operator.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert operator.head(path)["Content-Length"]


def test_what_is_no_valid_example_is_left_out_and_told(operator: Api, workspace: Workspace, folder: Path) -> None:
    approved(workspace)
    approved(workspace, conversation_id="TPL-0077").turns.filter(role="assistant").delete()
    body = operator.post("exports/", {}).json()
    assert body["skipped"] == {"TPL-0077": "it does not end with the assistant"}
    (listed,) = operator.get("exports/").json()["results"]
    assert (listed["skipped_count"], "skipped" in listed) == (1, False)


def test_nothing_to_export_is_a_conflict_and_leaves_no_record(
    operator: Api, workspace: Workspace, folder: Path
) -> None:
    nothing = operator.post("exports/", {})
    assert problems(nothing, 409) == {None: "nothing_to_export"}
    assert told(nothing).startswith("There are no approved conversations to export.")
    approved(workspace, simulated=True)
    assert "simulated" in told(operator.post("exports/", {}))
    assert not Export.objects.exists()
    assert operator.post("exports/", {"include_simulated": True}).json()["include_simulated"] is True


def test_what_is_wrong_is_told_by_field(operator: Api) -> None:
    wrong = operator.post("exports/", {"format": "pdf", "scope": "draft", "include_simulated": "perhaps"})
    assert problems(wrong, 400) == {
        "format": "invalid_choice",
        "scope": "invalid_choice",
        "include_simulated": "invalid",
    }
    assert problems(operator.get("exports/", {"scope": "draft"}), 400) == {"scope": "invalid_choice"}


def numbers_in(folder: Path, record: dict[str, Any]) -> int:
    return len((folder / Path(Export.objects.get(pk=record["id"]).file)).read_text().splitlines())


def test_several_statuses_and_a_tier_are_taken_together(operator: Api, workspace: Workspace, folder: Path) -> None:
    for status in ("approved", "generated", "pending_review"):
        for tier in ("template", "scenario"):
            approved(workspace, status=status, tier=tier)
    several = operator.post("exports/", {"statuses": ["approved", "generated"], "tier": "scenario"}).json()
    assert (several["scope"], several["statuses"], several["tier"]) == (
        "several",
        ["approved", "generated"],
        "scenario",
    )
    assert several["conversation_count"] == numbers_in(folder, several) == 2
    one = operator.post("exports/", {"statuses": ["generated"]}).json()
    assert (one["scope"], one["statuses"], one["tier"], one["conversation_count"]) == (
        "generated",
        ["generated"],
        "all",
        2,
    )
    everything = operator.post("exports/", {"scope": "all"}).json()
    assert (everything["scope"], everything["conversation_count"]) == ("all", 6)
    assert everything["statuses"] == ["generated", "pending_review", "needs_revision", "approved"]


def test_conversations_are_taken_one_by_one_by_either_name(operator: Api, workspace: Workspace, folder: Path) -> None:
    first = approved(workspace, conversation_id="TPL-0001", status="generated")
    approved(workspace, conversation_id="TPL-0002")
    approved(workspace, conversation_id="TPL-0003")
    body = operator.post("exports/", {"conversation_ids": [str(first.pk), "tpl-0003", "TPL-0003"]}).json()
    assert (body["scope"], body["conversation_ids"]) == ("chosen", ["TPL-0001", "TPL-0003"])
    assert body["conversation_count"] == numbers_in(folder, body) == 2
    (listed,) = operator.get("exports/", {"scope": "chosen"}).json()["results"]
    assert "conversation_ids" not in listed


def test_what_is_named_and_not_here_or_not_written_is_named_and_nothing_is_exported(
    operator: Api, workspace: Workspace, elsewhere: Workspace, folder: Path
) -> None:
    mine, theirs = approved(workspace), approved(elsewhere, conversation_id="OTHER-1")
    ConversationFactory(workspace=workspace, status="draft", conversation_id="TPL-0009")
    absent = operator.post("exports/", {"conversation_ids": [str(mine.pk), str(theirs.pk), "OTHER-1", "Nobody"]})
    assert problems(absent, 400) == {"conversation_ids": "does_not_exist"}
    assert told(absent) == f"In this workspace there is no {theirs.pk}, OTHER-1, Nobody."
    unwritten = operator.post("exports/", {"conversation_ids": [str(mine.pk), "TPL-0009"]})
    assert problems(unwritten, 409) == {None: "conflict"}
    assert told(unwritten) == "Only what is written and in use is exported, not TPL-0009 (draft)."
    assert not Export.objects.exists()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"statuses": ["approved", "draft"]}, {"statuses.1": "invalid_choice"}),
        ({"statuses": ["all"]}, {"statuses.0": "invalid_choice"}),
        ({"statuses": []}, {"statuses": "empty"}),
        ({"statuses": ["approved"], "scope": "approved"}, {"statuses": "one_of"}),
        ({"tier": "gold"}, {"tier": "invalid_choice"}),
        ({"conversation_ids": []}, {"conversation_ids": "empty"}),
        ({"conversation_ids": ["TPL-0001"], "scope": "all"}, {"conversation_ids": "one_of"}),
        ({"conversation_ids": ["TPL-0001"], "tier": "scenario"}, {"conversation_ids": "one_of"}),
        ({"conversation_ids": ["x" * 41]}, {"conversation_ids.0": "max_length"}),
    ],
)
def test_what_does_not_go_together_is_told_by_field(
    operator: Api, wrong: dict[str, Any], where: dict[str, str]
) -> None:
    assert problems(operator.post("exports/", wrong), 400) == where


def test_a_request_that_is_sent_again_exports_once(operator: Api, workspace: Workspace, folder: Path) -> None:
    approved(workspace)
    first = operator.post("exports/", {}, headers={"Idempotency-Key": "k1"})
    again = operator.post("exports/", {}, headers={"Idempotency-Key": "k1"})
    assert (again.status_code, again.json()) == (201, first.json())
    assert again["Idempotent-Replayed"] == "true"
    assert Export.objects.count() == 1
    other = operator.post("exports/", {"scope": "all"}, headers={"Idempotency-Key": "k1"})
    assert problems(other, 409) == {None: "idempotency_key_reused"}


def test_a_file_that_is_gone_or_lies_elsewhere_is_not_handed_out(
    operator: Api, workspace: Workspace, folder: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret-key"
    secret.write_text("secret")
    here = folder / workspace.slug
    here.mkdir(parents=True)
    (here / "link.jsonl").symlink_to(secret)
    for file in (secret, here / ".." / ".." / "secret-key", here / "link.jsonl", here / "gone.jsonl", here, ""):
        export = ExportFactory(workspace=workspace, file=str(file))
        assert operator.get(f"exports/{export.pk}/").json()["download_url"] is None
        refused = operator.get(f"exports/{export.pk}/download/")
        assert problems(refused, 404) == {None: "no_file"}
        assert "Export again." in told(refused)
        assert str(tmp_path) not in told(refused)


def test_a_file_that_another_workspace_may_have_written_over_is_not_handed_out(
    operator: Api, workspace: Workspace, elsewhere: Workspace, folder: Path
) -> None:
    approved(workspace)
    approved(elsewhere)
    for of in (workspace, elsewhere):
        export_conversations(of, path=folder / "weekly.jsonl")
    record = Export.objects.get(workspace=workspace)
    assert problems(operator.get(f"exports/{record.pk}/download/"), 404) == {None: "no_file"}


def test_a_file_that_cannot_be_written_is_no_mistake_of_the_client(
    operator: Api, workspace: Workspace, folder: Path
) -> None:
    approved(workspace)
    folder.write_text("in the way")
    refused = operator.post("exports/", {})
    assert problems(refused, 503) == {None: "no_file"}
    assert told(refused) == "The file cannot be written: Not a directory. Tell whoever runs this site."
    assert not Export.objects.exists()


def test_exports_are_listed_newest_first_in_as_many_queries_however_many(
    operator: Api, workspace: Workspace, folder: Path, django_assert_max_num_queries: Any
) -> None:
    made = [str(ExportFactory(workspace=workspace).pk) for _number in range(20)]
    with django_assert_max_num_queries(12):
        listed = operator.get("exports/").json()["results"]
    assert [each["id"] for each in listed] == made[::-1]


def test_who_may_look_may_not_take_the_data_along(
    curator: Api, operator: Api, workspace: Workspace, folder: Path
) -> None:
    approved(workspace)
    made = operator.post("exports/", {}).json()
    assert curator.get(f"exports/{made['id']}/").status_code == 200
    assert problems(curator.get(made["download_url"]), 403) == {None: "permission_denied"}
    assert problems(curator.post("exports/", {}), 403) == {None: "permission_denied"}


def test_what_is_in_another_workspace_is_not_found(operator: Api, elsewhere: Workspace, folder: Path) -> None:
    approved(elsewhere)
    made = api_as("operator", elsewhere).post("exports/", {}).json()
    for path in (f"exports/{made['id']}/", f"exports/{made['id']}/download/"):
        assert problems(operator.get(path), 404) == {None: "not_found"}


def test_a_record_cannot_be_changed_or_deleted(lead: Api, workspace: Workspace) -> None:
    path = f"exports/{ExportFactory(workspace=workspace).pk}/"
    assert problems(lead.delete(path), 405)
    assert problems(lead.patch(path, {}), 405)


def test_a_file_is_read_in_blocks_under_asgi(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    path.write_bytes(b"x" * 20_000)

    async def blocks() -> list[bytes]:
        with path.open("rb") as file:
            return [block async for block in FileInBlocks(file)]

    sent = asyncio.run(blocks())
    assert b"".join(sent) == path.read_bytes()
    assert len(sent) == 5

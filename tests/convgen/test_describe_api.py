"""docs/api/openapi.yaml and operations.md are what the views are."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import CommandError, call_command

from convgen.api.description import description
from convgen.schema.api import openapi_document, operations_document

PLACE = Path(settings.BASE_DIR, "docs/api")


def test_the_schema_in_the_documentation_is_that_of_the_views() -> None:
    assert (PLACE / "openapi.yaml").read_text() == openapi_document(), "Run `make docs`."


def test_every_operation_is_in_the_list() -> None:
    assert (PLACE / "operations.md").read_text() == operations_document(), "Run `make docs`."
    listed = set(re.findall(r"`([A-Z]+ /api/\S*)`", operations_document()))
    there = {f"{method.upper()} {path}" for path, methods in description()["paths"].items() for method in methods}
    assert listed == there


def test_what_is_stale_is_told(settings: Any, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    (tmp_path / "docs/api").mkdir(parents=True)
    with pytest.raises(CommandError, match=r"docs/api/openapi.yaml is stale: run `make docs`."):
        call_command("describe_api", check=True)
    call_command("describe_api")
    call_command("describe_api", check=True)


def test_errors_stand_in_the_schema_once() -> None:
    schema = yaml.safe_load(openapi_document())
    shared = schema["components"]["responses"]
    assert {"Error401", "Error429", "Error500"} <= set(shared)
    answers = [
        answer
        for methods in schema["paths"].values()
        for operation in methods.values()
        for status, answer in operation["responses"].items()
        if status == "401"
    ]
    own = [answer for answer in answers if answer != {"$ref": "#/components/responses/Error401"}]
    assert len(own) < len(answers)
    assert all("application/jsonl" in answer["content"] for answer in own)  # a file is downloaded in its own type

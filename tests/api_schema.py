"""Holds what the API answers against what its schema says."""

import re
from functools import cache
from threading import Lock
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, FormatChecker

REFERENCES = "#/components/schemas/"


_making = Lock()  # it is not made to be made by two threads at once


@cache
def _made() -> dict[str, Any]:
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return made


def schema() -> dict[str, Any]:
    with _making:
        return _made()


@cache
def operations() -> dict[tuple[str, str], dict[str, Any]]:
    """By method, and path with its parameters left blank. Answers that they share stand in each."""
    return {
        (method.upper(), re.sub(r"{[^}]*}", "{}", path)): {**operation, "responses": _answers(operation)}
        for path, methods in schema()["paths"].items()
        for method, operation in methods.items()
    }


def _answers(operation: dict[str, Any]) -> dict[str, Any]:
    shared = schema()["components"].get("responses", {})
    return {
        status: shared[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
        for status, answer in operation["responses"].items()
    }


def check(method: str, response: Any) -> None:
    """Fail unless the answer is one that the schema tells: its status, its type, its body."""
    match = getattr(response, "resolver_match", None)
    if match is None or response.status_code == 405 or method in ("OPTIONS", "HEAD"):
        return
    path = re.sub(r"<[^>]*>", "{}", f"/{match.route}")
    operation = operations().get((method, path))
    if operation is None:
        return
    told = operation["responses"].get(str(response.status_code))
    named = f"{operation['operationId']} answered {response.status_code}"
    assert told is not None, f"{named}, which its schema does not tell: {response.content[:500]!r}"
    content = told.get("content")
    if response.streaming or not content:
        return
    kind = response["Content-Type"].partition(";")[0]
    assert kind in content, f"{named} as {kind}; its schema tells {', '.join(content)}"
    problems = [
        f"{error.json_path}: {error.message}"
        for error in _validator(content[kind]["schema"]).iter_errors(response.json())
    ]
    assert not problems, f"{named}, not as its schema tells:\n" + "\n".join(problems)


def _validator(part: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**part, "components": schema()["components"]}, format_checker=FormatChecker())

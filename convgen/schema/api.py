"""docs/api/openapi.yaml and docs/api/operations.md: the REST API, as its schema describes it."""

from collections import defaultdict
from typing import Any

from drf_spectacular.renderers import OpenApiYamlRenderer

from convgen.api.description import description, rendered

INTRODUCTION = """\
# Operations

Written by `make docs` from the schema: change the views, not this page. What each takes and answers stands in
[openapi.yaml](openapi.yaml), and at `/api/redoc/` of a running site."""

METHODS = ("get", "post", "patch", "delete")


def openapi_document() -> str:
    return rendered(OpenApiYamlRenderer).decode()


def operations_document() -> str:
    by_tag: dict[str, list[tuple[str, str, dict[str, Any]]]] = defaultdict(list)
    for path, methods in description()["paths"].items():
        for method in METHODS:
            if operation := methods.get(method):
                by_tag[operation["tags"][0]].append((path, method, operation))
    return "\n\n".join([INTRODUCTION, *(_section(tag, by_tag[tag]) for tag in sorted(by_tag))]) + "\n"


def _section(tag: str, operations: list[tuple[str, str, dict[str, Any]]]) -> str:
    rows = [
        f"| `{method.upper()} {path}` | {operation.get('summary', '')} | `{operation['operationId']}` |"
        for path, method, operation in operations
    ]
    return "\n".join([f"## {tag}", "", "| operation | does | id |", "| --- | --- | --- |", *rows])

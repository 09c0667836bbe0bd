"""The schema as it is served, and what it says of one operation. It is made once: it does not depend on who asks."""

import re
from functools import cache
from typing import Any

from rest_framework.renderers import BaseRenderer


@cache
def description() -> dict[str, Any]:
    """The whole OpenAPI document."""
    from drf_spectacular.generators import SchemaGenerator  # it imports the views, whose renderer imports this

    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return schema


@cache
def rendered(renderer: type[BaseRenderer]) -> bytes:
    content: Any = renderer().render(description(), renderer_context={})
    return bytes(content)


def operations_at(path: str) -> dict[str, dict[str, Any]]:
    """What can be done at an address, by method in small letters; empty where there is nothing."""
    found = _template_of(path)
    return description()["paths"][found] if found else {}


def below(path: str) -> list[dict[str, Any]]:
    """What can be done with a row or a list at further addresses, one step below its own."""
    here, found = _template_of(path), []
    for each, operations in description()["paths"].items():
        parent, _slash, name = each.removesuffix("/").rpartition("/")
        if f"{parent}/" == here and not name.startswith("{"):
            methods = [method.upper() for method in operations if isinstance(operations[method], dict)]
            summary = next(iter(operations.values())).get("summary", "")
            found.append({"name": name, "address": f"{path}{name}/", "methods": methods, "summary": summary})
    return found


def example_of(operation: dict[str, Any]) -> Any:
    """The first example of a request's body; None where there is none."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        for example in content.get("examples", {}).values():
            return example.get("value")
    return None


def _template_of(path: str) -> str | None:
    """The path as the schema has it. `/api/batches/estimate/` is itself before it is a batch of that name."""
    paths = sorted(description()["paths"], key=lambda each: each.count("{"))
    return next((each for each in paths if _pattern(each).fullmatch(path)), None)


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)))

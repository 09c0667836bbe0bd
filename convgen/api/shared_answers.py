"""What many answers share (errors, headers) stands in the schema once: it is a third as long so."""

import json
from typing import Any

FIRST_ERROR = 400


def share_answers(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A hook of drf-spectacular. What an operation says in words of its own stays where it is."""
    headers: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    for methods in result["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                for name, header in response.get("headers", {}).items():
                    response["headers"][name] = _shared("headers", name, header, headers)
                if int(status) >= FIRST_ERROR:
                    operation["responses"][status] = _shared("responses", f"Error{status}", response, errors)
    result["components"] |= {"headers": _sorted(headers), "responses": _sorted(errors)}
    return result


def _shared(kind: str, name: str, part: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """A reference to the part of that name that came first, where this is the same."""
    same = _told(found.setdefault(name, part)) == _told(part)
    return {"$ref": f"#/components/{kind}/{name}"} if same else part


def _told(part: dict[str, Any]) -> str:
    return json.dumps(part, sort_keys=True, default=str)


def _sorted(found: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(found.items()))

"""Answers that many operations share, such as the errors, stand in the schema once: it is a third as long so."""

import json
from typing import Any

FIRST_ERROR = 400


def share_errors(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A hook of drf-spectacular. An error that an operation tells in words of its own stays where it is."""
    shared: dict[str, Any] = {}
    for methods in result["paths"].values():
        for operation in methods.values():
            operation["responses"] = {
                status: _shared(status, response, shared) for status, response in operation["responses"].items()
            }
    if shared:
        result["components"]["responses"] = dict(sorted(shared.items()))
    return result


def _shared(status: str, response: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """A reference to the response of that status that came first, where this is the same."""
    if int(status) < FIRST_ERROR:
        return response
    name = f"Error{status}"
    first = shared.setdefault(name, response)
    same = json.dumps(first, sort_keys=True, default=str) == json.dumps(response, sort_keys=True, default=str)
    return {"$ref": f"#/components/responses/{name}"} if same else response

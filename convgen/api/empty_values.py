"""A filter that is left empty is one that is not given: forms send them so. The schema says it."""

from typing import Any

NEVER_EMPTY = ("cursor", "page_size")


def allow_empty_filters(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A hook of drf-spectacular."""
    for methods in result["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query" and parameter["name"] not in NEVER_EMPTY:
                    parameter["allowEmptyValue"] = True
    return result

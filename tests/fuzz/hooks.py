"""What `make fuzz` checks in its own way.

DRF reads a value of another type where it can be read as the right one: 0 where a text is asked for, "1" for a number,
"true" for a boolean. The schema names the right one alone. So a body whose only faults are such values may be accepted.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import schemathesis
import yaml
from schemathesis.specs.openapi.checks import negative_data_rejection

SCHEMA = yaml.safe_load(Path(__file__).parents[2].joinpath("docs/api/openapi.yaml").read_text())
PLAIN = (str, int, float, bool)


@schemathesis.check
def wrong_data_is_refused(ctx: Any, response: Any, case: Any) -> bool | None:
    """schemathesis's own `negative_data_rejection`, but for values that can be read as the right type."""
    if _only_of_another_type(case):
        return None
    return negative_data_rejection(ctx, response, case)


def _only_of_another_type(case: Any) -> bool:
    operation = SCHEMA["paths"].get(case.operation.path, {}).get(case.operation.method, {})
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if not content or not isinstance(case.body, dict | list):
        return False
    validator = jsonschema.Draft202012Validator({**content["schema"], "components": SCHEMA["components"]})
    faults = list(_leaves(validator.iter_errors(case.body)))
    return bool(faults) and all(each.validator == "type" and isinstance(each.instance, PLAIN) for each in faults)


def _leaves(errors: Any) -> Iterator[Any]:
    """Of a value that is none of several kinds, why it is not each of them."""
    for error in errors:
        yield from _leaves(error.context) if error.context else [error]

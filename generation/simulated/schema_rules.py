"""The rules for `output_config.format`: which JSON schemas Claude can be held to.

Source: Anthropic's page on structured outputs (its list of what is not supported), and the SDK's own reworking of
schemas (`lib/_parse/_transform.py`), which moves into descriptions what the API would refuse.
"""

from collections.abc import Mapping
from typing import Any

from generation.simulated.refusal import Refusal, invalid

WHERE = "output_config.format.schema"
TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
STRING_FORMATS = {
    *("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"),
}
UNSUPPORTED = {
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "maxItems", "uniqueItems", "contains", "prefixItems"),
    *("minProperties", "maxProperties", "patternProperties", "propertyNames"),
    *("oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "unevaluatedProperties"),
}
DEFINITIONS = ("$defs", "definitions")


def check_format(wanted: object) -> None:
    """Raises `Refusal` for a format, or a schema, that the API does not take."""
    if not isinstance(wanted, dict) or wanted.get("type") != "json_schema":
        raise invalid("output_config.format.type: Input should be 'json_schema'")
    for name in wanted.keys() - {"type", "schema"}:
        raise invalid(f"output_config.format.{name}: Extra inputs are not permitted")
    if not isinstance(wanted.get("schema"), dict):
        raise invalid(f"{WHERE}: Input should be an object")
    _check_schema(wanted["schema"], wanted["schema"], ())


def _check_schema(schema: object, root: Mapping[str, Any], within: tuple[str, ...]) -> None:
    """`within` are the definitions that led here: one that leads to itself has no end."""
    if not isinstance(schema, dict):
        raise _bad("every part of a schema must be an object")
    _check_shape(schema)
    if "$ref" in schema:
        _check_reference(schema["$ref"], root, within)
    kind = schema.get("type")
    if unsupported := sorted(schema.keys() & UNSUPPORTED):
        raise _bad(f"For '{kind}' type, properties {', '.join(unsupported)} are not supported")
    if kind == "object" and schema.get("additionalProperties") is not False:
        raise _bad("For 'object' type, 'additionalProperties' must be explicitly set to false")
    if kind == "string" and schema.get("format", "uuid") not in STRING_FORMATS:
        raise _bad(f"For 'string' type, format '{schema['format']}' is not supported")
    if schema.get("minItems", 0) not in (0, 1):
        raise _bad("For 'array' type, 'minItems' values other than 0 or 1 are not supported")
    if any(isinstance(value, dict | list) for value in schema.get("enum", ())):
        raise _bad("'enum' supports strings, numbers, booleans and null only")
    for part in _parts(schema):
        _check_schema(part, root, within)


def _check_shape(schema: Mapping[str, Any]) -> None:
    kinds = schema.get("type", [])
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if kind not in TYPES:
            raise _bad(f"'{kind}' is not a supported type")
    for name, shape in _SHAPES.items():
        if not isinstance(schema.get(name, shape()), shape):
            raise _bad(f"'{name}' must be {_SAID[shape]}")


_SHAPES: dict[str, type] = {
    **dict.fromkeys(("properties", *DEFINITIONS), dict),
    **dict.fromkeys(("anyOf", "allOf", "required", "enum"), list),
    **dict.fromkeys(("format", "$ref"), str),
}
_SAID: dict[type, str] = {dict: "an object", list: "a list", str: "a text"}


def _parts(schema: Mapping[str, Any]) -> list[object]:
    """The schemas that a schema is made of; definitions are followed where they are used."""
    found: list[object] = [*schema.get("properties", {}).values()]
    for name in ("anyOf", "allOf"):
        found += schema.get(name, ())
    return [*found, schema["items"]] if "items" in schema else found


def _check_reference(reference: str, root: Mapping[str, Any], within: tuple[str, ...]) -> None:
    for place in DEFINITIONS:
        name = reference.removeprefix(f"#/{place}/")
        if name != reference and name in root.get(place, {}):
            if name in within:
                raise _bad(f"Recursive schemas are not supported: '{name}' holds itself")
            return _check_schema(root[place][name], root, (*within, name))
    raise _bad(f"'$ref' must name one of the schema's own definitions, not '{reference}'")


def _bad(message: str) -> Refusal:
    return invalid(f"{WHERE}: {message}")

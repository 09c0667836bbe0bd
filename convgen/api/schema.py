"""The OpenAPI schema: drf-spectacular's, and the errors in the one shape that they have."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from drf_standardized_errors.openapi import AutoSchema as StandardizedSchema
from rest_framework import serializers

from convgen.api import errors


class ErrorSerializer(serializers.Serializer[Any]):
    """One thing that is wrong."""

    code = serializers.CharField(help_text="For programs: it stays the same when the words are changed.")
    detail = serializers.CharField(help_text="For people: what is wrong, and what to do.")
    attr = serializers.CharField(allow_null=True, help_text="The field or parameter that it is about, if it is one.")


class ErrorsSerializer(serializers.Serializer[Any]):
    """Why it was not done: every error has this shape."""

    type = serializers.ChoiceField(
        ["validation_error", "client_error", "server_error"],
        help_text="What was sent is wrong; it cannot be done like this, or now; or it is not your fault.",
    )
    errors = ErrorSerializer(many=True, help_text="All that is wrong with what was sent; else one.")  # type: ignore[assignment]


def _example(name: str, status: int, kind: str, code: str, detail: str, attr: str | None = None) -> OpenApiExample:
    value = {"type": kind, "errors": [{"code": code, "detail": detail, "attr": attr}]}
    return OpenApiExample(name, value, response_only=True, status_codes=[str(status)])


ERRORS = {
    "400": "What was sent is wrong: each error names its field in `attr`.",
    "401": "No token and no session, or one that is not valid any more.",
    "403": "Your role in the workspace does not allow it.",
    "404": "There is no such thing in the workspace; or the workspace is not yours.",
    "405": "The address does not have this method.",
    "406": "The answer is not to be had in a format that you accept.",
    "409": "The state of things does not allow it: look again.",
    "412": "It was changed since you read it (`If-Match`).",
    "413": "The body is too large.",
    "415": "Send JSON, with `Content-Type: application/json`.",
    "429": "Too many requests: wait for as many seconds as `Retry-After` says.",
    "500": "An error on our side.",
    "503": "Claude, or the database, cannot be reached at this moment: try again after a while.",
}

EXAMPLES = [
    _example(
        "Wrong value",
        400,
        "validation_error",
        "invalid_choice",
        "“mood” is none of: persona, emotion, topic, intent, tone.",
        "kind",
    ),
    _example("Not JSON", 400, "client_error", "parse_error", "JSON parse error - Expecting value: line 1 column 1"),
    _example("Signed out", 401, "client_error", "not_authenticated", errors.SIGN_IN),
    _example(
        "Not allowed",
        403,
        "client_error",
        "permission_denied",
        "Your role in Practice (curator) does not have the permission conversations.review_conversation. "
        "Ask a lead of the workspace.",
    ),
    _example("Not there", 404, "client_error", "not_found", "There is no conversation TPL-0007 in this workspace."),
    _example("Wrong method", 405, "client_error", "method_not_allowed", 'Method "PUT" not allowed.'),
    _example("Other format", 406, "client_error", "not_acceptable", "Could not satisfy the request Accept header."),
    _example("Wrong state", 409, "client_error", "conflict", "The batch is completed: pause is not possible."),
    _example("Changed", 412, "client_error", "precondition_failed", "Somebody else has changed the conversation."),
    _example("Too large", 413, "client_error", "too_large", "A body may have 10,000,000 bytes."),
    _example(
        "Not JSON", 415, "client_error", "unsupported_media_type", 'Unsupported media type "text/plain" in request.'
    ),
    _example("Too many", 429, "client_error", "throttled", "Request was throttled. Expected available in 4 seconds."),
    _example(
        "Our fault", 500, "server_error", "error", errors.ANONYMOUS.format("0198f4c2-6b1e-7d3a-9c45-2f0e8a71b6d3")
    ),
    _example("Overloaded", 503, "server_error", "overloaded", "Claude is overloaded. Try again in a while."),
]

# What the usual actions of a viewset are called. The others have their own word in the path.
USUAL = {
    "list": "list",
    "create": "create",
    "retrieve": "retrieve",
    "partial_update": "update",
    "destroy": "delete",
}

WORKSPACE = OpenApiParameter(
    "X-Workspace",
    location=OpenApiParameter.HEADER,
    description="The slug of the workspace to work in. Without it, your default workspace.",
)


def _answered(name: str, description: str, kind: Any = OpenApiTypes.INT, codes: Any = True) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, response=codes, description=description)


ANSWERED = [
    _answered("X-Request-ID", "The id of this request, as it is in the log.", OpenApiTypes.STR),
    _answered("RateLimit-Limit", "Requests of this group of operations that you may send in a minute."),
    _answered("RateLimit-Remaining", "Those that are left now."),
    _answered("RateLimit-Reset", "Seconds until all are there again."),
    _answered("Retry-After", "Seconds after which to try again.", codes=[429]),
]

LOCATION = _answered("Location", "Where it is to be had.", OpenApiTypes.URI, codes=[201])  # of what was made


class AutoSchema(StandardizedSchema):
    """Every operation tells its errors. Views say of which kinds beside the usual ones: `also_answers`, by action."""

    def get_override_parameters(self) -> list[Any]:
        in_workspace = [WORKSPACE] if hasattr(self.view, "workspace_or_none") else []
        return [*super().get_override_parameters(), *in_workspace, *ANSWERED]

    def get_operation_id(self) -> str:
        """`batches_list`, `batches_update`, `batches_pause`: what a generated client's functions are called."""
        action = getattr(self.view, "action", None)
        if action is None:
            return str(super().get_operation_id())
        parts = [part.replace("-", "_") for part in self._tokenize_path()]
        if action in USUAL:
            return "_".join([*parts, USUAL[action]])
        return "_".join(parts)

    def _get_allowed_error_status_codes(self) -> list[str]:
        return list(ERRORS)

    def _should_add_error_response(self, responses: dict[str, Any], status_code: str) -> bool:
        if status_code in responses:
            return False
        match status_code:
            case "409" | "412":
                action = getattr(self.view, "action", self.method.lower())
                return int(status_code) in getattr(self.view, "also_answers", {}).get(action, ())
            case "413":
                return self.method in ("POST", "PATCH")
            case "503":
                return True  # without the database, nothing can be done
            case "404" if hasattr(self.view, "workspace_or_none"):
                return True  # the workspace may be somebody else's
            case "400":
                return True  # an Idempotency-Key or a path may be malformed, a body may be no JSON
        return bool(super()._should_add_error_response(responses, status_code))

    def _get_response_for_code(
        self, serializer: Any, status_code: str, media_types: Any = None, direction: Any = "response"
    ) -> Any:
        """Errors are JSON, whatever else the operation answers."""
        kinds = ["application/json"] if status_code in ERRORS else media_types
        return super()._get_response_for_code(serializer, status_code, kinds, direction)

    def _get_error_response_serializer(self, status_code: str) -> Any:
        return OpenApiResponse(ErrorsSerializer, description=ERRORS[status_code])

    def _get_error_response_examples(self) -> list[OpenApiExample]:
        return EXAMPLES


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "convgen.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of yours: the page *API tokens*, or `manage.py create_api_token USER`.",
        }

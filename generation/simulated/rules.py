"""What the API refuses: its rules under `anthropic-version: 2026-10-21`, and under the older 2023-06-01.

Sources: the types of SDK 2.12 for names and shapes (`types/message_create_params.py` and its neighbours); Anthropic's
pages on API versions (what 2026-10-21 refuses), errors, the Messages API and each feature; messages that others have
seen the API give. Which models take what is in `capabilities.py`; the rules for contents, for what depends on the
model, and for schemas have files of their own.
"""

from collections.abc import Mapping
from typing import Any

from generation.simulated.capabilities import MODELS, Model
from generation.simulated.content_rules import check_caching, check_contents
from generation.simulated.model_rules import SAMPLING, check_for_model, check_sampling
from generation.simulated.prompt import blocks, count
from generation.simulated.refusal import Refusal, invalid, not_found

VERSIONS = ("2023-01-01", "2023-06-01", "2026-10-21")
SAMPLING_LEFT = "2026-10-21"  # the version that refuses sampling parameters for every model

# What a request to count tokens may hold: what of a message's request makes up its prompt.
OF_COUNTS = {
    *("model", "messages", "system", "output_config", "thinking", "tools", "tool_choice", "cache_control", "speed"),
}
PARAMETERS = {
    *OF_COUNTS,
    *("max_tokens", "metadata", "stop_sequences", "stream", "service_tier", "container", "inference_geo"),
    "diagnostics",
}

# The longest reply without streaming, in tokens: the SDK reckons an hour for 128,000 and lets nobody wait for more
# than ten minutes (`_calculate_nonstreaming_timeout`). A batch has the time.
LONGEST_UNSTREAMED = 21_333

SERVICE_TIERS = ("auto", "standard_only")


def check_request(body: object, headers: Mapping[str, str], *, accepted_key: str) -> dict[str, Any]:
    """A live request's body, if the API would take it. Raises `Refusal`."""
    return check_message(body, check_headers(headers, accepted_key=accepted_key))


def check_headers(headers: Mapping[str, str], *, accepted_key: str) -> str:
    """The API version that is spoken. Of two keys, `x-api-key` counts. Raises `Refusal`."""
    given = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    if not given or (accepted_key and given != accepted_key):
        raise Refusal(401, "authentication_error", "invalid x-api-key")
    version = headers.get("anthropic-version", "")
    if not version:
        raise invalid("anthropic-version: header is required")
    if version not in VERSIONS:
        raise invalid(f'anthropic-version: "{version}" is not a valid version')
    return version


def check_message(body: object, version: str, *, batched: bool = False) -> dict[str, Any]:
    """A message's request, live or in a batch. Raises `Refusal`."""
    checked = _fields(body, PARAMETERS, ("model", "max_tokens", "messages"), version)
    _check_options(checked)
    model = _check_prompt(checked)
    _check_length(checked, model, batched=batched)
    check_for_model(checked, model)
    return checked


def check_count(body: object, version: str) -> dict[str, Any]:
    """A request to count tokens. Raises `Refusal`."""
    checked = _fields(body, OF_COUNTS, ("model", "messages"), version)
    check_for_model(checked, _check_prompt(checked))
    return checked


def _fields(body: object, known: set[str], required: tuple[str, ...], version: str) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise invalid("The request body is not valid JSON")
    for name in required:
        if name not in body:
            raise invalid(f"{name}: Field required")
    if version < SAMPLING_LEFT:
        known = known | set(SAMPLING)
        check_sampling(body)
    for name in sorted(body.keys() - known):
        raise invalid(f"{name}: Extra inputs are not permitted")
    if not isinstance(body["model"], str) or not body["model"]:
        raise invalid("model: Input should be a valid string")
    return {name: value for name, value in body.items() if value is not None or name not in _NULLABLE}


# Optional parameters that may be null, which says the same as leaving them out.
_NULLABLE = {"cache_control", "container", "diagnostics", "inference_geo", "speed"}


def _check_options(body: dict[str, Any]) -> None:
    if "stream" in body and not isinstance(body["stream"], bool):
        raise invalid("stream: Input should be a valid boolean")
    if body.get("service_tier", "auto") not in SERVICE_TIERS:
        raise invalid("service_tier: Input should be 'auto' or 'standard_only'")
    metadata = body.get("metadata", {})
    if not isinstance(metadata, dict) or not isinstance(metadata.get("user_id"), str | None):
        raise invalid("metadata: Input should be an object whose user_id is a string")
    for name in metadata.keys() - {"user_id"}:
        raise invalid(f"metadata.{name}: Extra inputs are not permitted")
    stops = body.get("stop_sequences", [])
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
        raise invalid("stop_sequences: Input should be a valid list of strings")
    if not all(stop.strip() for stop in stops):
        raise invalid("stop_sequences: each stop sequence must contain non-whitespace")


def _check_prompt(body: dict[str, Any]) -> Model:
    """The model, if it takes a prompt of this length."""
    check_contents(body)
    check_caching(body)
    model = MODELS.get(body["model"])
    if model is None:
        raise not_found(f"model: {body['model']}")
    if (length := count(blocks(body))) > model.context:
        raise invalid(f"prompt is too long: {length} tokens > {model.context} maximum")
    return model


def _check_length(body: dict[str, Any], model: Model, *, batched: bool) -> None:
    limit = body["max_tokens"]
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise invalid("max_tokens: Input should be a valid integer greater than or equal to 0")
    if limit > model.longest_output:
        raise invalid(
            f"max_tokens: {limit} > {model.longest_output}, which is the maximum allowed number of output tokens "
            f"for {body['model']}"
        )
    streamed = body.get("stream", False)
    if batched and streamed:
        raise invalid("stream: streaming is not supported in a batch")
    if not batched and not streamed and limit > LONGEST_UNSTREAMED:
        raise invalid("max_tokens: Streaming is required for operations that may take longer than 10 minutes")
    if limit == 0:
        _check_warming(body, batched=batched)


def _check_warming(body: dict[str, Any], *, batched: bool) -> None:
    """`max_tokens: 0` only fills the prompt cache; there is nothing to stream, to think or to format."""
    wants_format = isinstance(body.get("output_config"), dict) and body["output_config"].get("format")
    if batched or body.get("stream") or wants_format or "thinking" in body:
        raise invalid("max_tokens: 0 is not supported with batches, streaming, thinking or output_config.format")

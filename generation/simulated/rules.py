"""What the Messages API refuses, for what we send: its rules under `anthropic-version: 2026-10-21`."""

from collections.abc import Mapping
from functools import cache
from typing import Any

SAMPLING = ("temperature", "top_p", "top_k")
SAMPLING_LEFT = "2026-10-21"  # the version that refuses sampling parameters for every model

PARAMETERS = {
    *("model", "max_tokens", "messages", "system", "metadata", "output_config", "thinking", "tools", "tool_choice"),
    *("stop_sequences", "stream", "service_tier", "cache_control", "container", "inference_geo"),
    *SAMPLING,
}


class Refusal(Exception):
    """The request is answered with an error: `status` is HTTP's, `kind` Anthropic's `error.type`."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


def check_request(body: object, headers: Mapping[str, str], *, accepted_key: str) -> dict[str, Any]:
    """The request's body, if the API would take it. Raises `Refusal`."""
    _check_key(headers, accepted_key)
    version = headers.get("anthropic-version", "")
    if not version:
        raise _invalid("anthropic-version: header is required")
    if not isinstance(body, dict):
        raise _invalid("The request body is not valid JSON")
    for check in (_check_names, _check_limits, _check_system, _check_messages, _check_thinking, _check_tools):
        check(body)
    if version >= SAMPLING_LEFT and (sampling := [name for name in SAMPLING if name in body]):
        raise _invalid(f"{sampling[0]}: sampling parameters are not supported")
    if not _known(body["model"]):
        raise Refusal(404, "not_found_error", f"model: {body['model']}")
    return body


def _check_key(headers: Mapping[str, str], accepted_key: str) -> None:
    given = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    if not given or (accepted_key and given != accepted_key):
        raise Refusal(401, "authentication_error", "invalid x-api-key")


def _check_names(body: dict[str, Any]) -> None:
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            raise _invalid(f"{name}: Field required")
    for name in body.keys() - PARAMETERS:
        raise _invalid(f"{name}: Extra inputs are not permitted")


def _check_limits(body: dict[str, Any]) -> None:
    if not isinstance(body["model"], str) or not body["model"]:
        raise _invalid("model: Input should be a valid string")
    limit = body["max_tokens"]
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise _invalid("max_tokens: Input should be a valid integer greater than or equal to 1")


def _check_messages(body: dict[str, Any]) -> None:
    messages = body["messages"]
    if not isinstance(messages, list) or not messages:
        raise _invalid("messages: at least one message is required")
    for number, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in ("user", "assistant"):
            raise _invalid(f"messages.{number}.role: Input should be 'user' or 'assistant'")
        _check_content(message.get("content"), f"messages.{number}")
    if messages[-1]["role"] == "assistant":
        raise _invalid("messages: this model does not support assistant message prefill")


def _check_system(body: dict[str, Any]) -> None:
    if "system" in body and body["system"] != "":
        _check_content(body["system"], "system")


def _check_content(content: object, where: str) -> None:
    if not isinstance(content, str | list) or not content:
        raise _invalid(f"{where}: content must not be empty")
    blocks = content if isinstance(content, list) else []
    for number, block in enumerate(blocks):
        if not isinstance(block, dict) or not isinstance(block.get("type"), str):
            raise _invalid(f"{where}.{number}.type: Field required")
        if block["type"] == "text" and (not isinstance(block.get("text"), str) or not block["text"]):
            raise _invalid(f"{where}.{number}: text content blocks must be non-empty")


def _check_thinking(body: dict[str, Any]) -> None:
    thinking = body.get("thinking")
    if thinking is not None and not isinstance(thinking, dict):
        raise _invalid("thinking: Input should be an object")
    if thinking is not None and (thinking.get("type") == "disabled" or "budget_tokens" in thinking):
        raise _invalid("thinking: only adaptive thinking is supported by this model")


def _check_tools(body: dict[str, Any]) -> None:
    choice = body.get("tool_choice")
    if choice is not None and not isinstance(choice, dict):
        raise _invalid("tool_choice: Input should be an object")
    if choice is not None and choice.get("type") in ("any", "tool"):
        raise _invalid("tool_choice: forced tool use is not supported by this model")


@cache
def _known(model: str) -> bool:
    import genai_prices  # its list of models is the one that we price with

    try:
        genai_prices.calc_price(genai_prices.Usage(input_tokens=1), model_ref=model, provider_id="anthropic")
    except LookupError:
        return False
    return True


def _invalid(message: str) -> Refusal:
    return Refusal(400, "invalid_request_error", message)

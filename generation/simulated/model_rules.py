"""The rules that depend on the model: sampling, effort, thinking, forced tools, and how a prompt may end.

Source: Anthropic's pages on each feature, and the messages that the API gives. What a model takes is in
`capabilities.py`.
"""

from typing import Any

from generation.simulated.capabilities import EFFORTS, MODELS, THINKING, Model, listed
from generation.simulated.refusal import invalid
from generation.simulated.schema_rules import check_format

SAMPLING = ("temperature", "top_p", "top_k")
LEAST_BUDGET = 1_024  # tokens of thinking
DISPLAYS = ("summarized", "omitted", None)


def check_for_model(body: dict[str, Any], model: Model) -> None:
    """Raises `Refusal` for what this model does not take."""
    effort = _check_output(body, model)
    thinks = _check_thinking(body, model, effort)
    _check_choice(body, model, thinks=thinks)
    _check_roles(body, model)
    if thinks and body.get("temperature", 1) != 1:
        raise invalid("`temperature` may only be set to 1 when thinking is enabled.")


# --- Sampling --------------------------------------------------------------------------------------------


def check_sampling(body: dict[str, Any]) -> None:
    """For versions before 2026-10-21: newer models take the default values alone. Raises `Refusal`."""
    for name in ("temperature", "top_p"):
        value = body.get(name, 1)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
            raise invalid(f"{name}: Input should be a number from 0 to 1")
    if not isinstance(body.get("top_k", 0), int) or body.get("top_k", 0) < 0:
        raise invalid("top_k: Input should be a valid integer greater than or equal to 0")
    model = MODELS.get(body["model"]) if isinstance(body["model"], str) else None
    if model is None:
        return  # the next rule speaks of that
    if not model.sampling:
        for name in SAMPLING:
            if name in body and body[name] != 1:
                raise invalid(f"`{name}` is deprecated for this model.")
    if "temperature" in body and "top_p" in body:
        raise invalid("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")


# --- Output and thinking ---------------------------------------------------------------------------------


def _check_output(body: dict[str, Any], model: Model) -> str:
    """The effort that is asked for; empty when none is."""
    config = body.get("output_config", {})
    if not isinstance(config, dict):
        raise invalid("output_config: Input should be an object")
    for name in config.keys() - {"effort", "format"}:
        raise invalid(f"output_config.{name}: Extra inputs are not permitted")
    if config.get("format") is not None:
        check_format(config["format"])
    effort = config.get("effort")
    if effort is None:
        return ""
    if effort not in EFFORTS:
        raise invalid(f"output_config.effort: Input should be {listed(EFFORTS)}")
    if not model.efforts:
        raise invalid("output_config.effort: This model does not support the effort parameter.")
    if effort not in model.efforts:
        raise invalid(f"output_config.effort: '{effort}' is not supported by this model; use {listed(model.efforts)}")
    return str(effort)


def _check_thinking(body: dict[str, Any], model: Model, effort: str) -> bool:
    """Whether the request asks for thinking."""
    if "thinking" not in body:
        return False
    thinking = body["thinking"]
    if not isinstance(thinking, dict):
        raise invalid("thinking: Input should be an object")
    kind = thinking.get("type")
    if kind not in THINKING:
        raise invalid(f"thinking.type: Input should be {listed(THINKING)}")
    if kind not in model.thinking:
        if kind == "adaptive":
            raise invalid("adaptive thinking is not supported on this model")
        other = "adaptive" if "adaptive" in model.thinking else "enabled"
        raise invalid(
            f'"thinking.type.{kind}" is not supported for this model. Use "thinking.type.{other}" and '
            '"output_config.effort" to control thinking behavior.'
        )
    for name in thinking.keys() - _OF_THINKING[kind]:
        raise invalid(f"thinking.{kind}.{name}: Extra inputs are not permitted")
    if thinking.get("display") not in DISPLAYS:
        raise invalid(f"thinking.{kind}.display: Input should be 'summarized' or 'omitted'")
    if kind == "enabled":
        _check_budget(thinking.get("budget_tokens"), body.get("max_tokens"))
    if kind == "disabled" and _at_least(effort, model.undisabled_from):
        raise invalid(f"\"thinking.type.disabled\" is not supported with effort '{effort}'.")
    return kind in ("adaptive", "enabled")


_OF_THINKING = {
    "adaptive": {"type", "display"},
    "between_tools": {"type"},
    "disabled": {"type"},
    "enabled": {"type", "display", "budget_tokens"},
}


def _check_budget(budget: object, max_tokens: int | None) -> None:
    if not isinstance(budget, int) or isinstance(budget, bool) or budget < LEAST_BUDGET:
        raise invalid(f"thinking.enabled.budget_tokens: Input should be greater than or equal to {LEAST_BUDGET}")
    if max_tokens is not None and budget >= max_tokens:
        raise invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")


def _at_least(effort: str, bound: str) -> bool:
    return bool(effort and bound) and EFFORTS.index(effort) >= EFFORTS.index(bound)


# --- Tools and roles -------------------------------------------------------------------------------------


def _check_choice(body: dict[str, Any], model: Model, *, thinks: bool) -> None:
    if "tool_choice" not in body:
        return
    choice = body["tool_choice"]
    if not isinstance(choice, dict):
        raise invalid("tool_choice: Input should be an object")
    kind = choice.get("type")
    if kind not in ("auto", "any", "tool", "none"):
        raise invalid("tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'")
    if "tools" not in body:
        raise invalid("tool_choice: tool_choice may only be specified while providing tools")
    if kind not in ("any", "tool"):
        return
    if not model.forced_tools:
        raise invalid("tool_choice: forced tool use is not supported by this model")
    if thinks:
        raise invalid("Thinking may not be enabled when tool_choice forces tool use.")


def _check_roles(body: dict[str, Any], model: Model) -> None:
    messages = body["messages"]
    if not model.system_messages and any(message["role"] == "system" for message in messages):
        raise invalid("messages: role 'system' is not supported on this model")
    last = messages[-1]
    if last["role"] != "assistant":
        return
    if not model.prefill:
        raise invalid("messages: this model does not support assistant message prefill")
    if isinstance(last["content"], str) and last["content"] != last["content"].rstrip():
        raise invalid("messages: final assistant content cannot end with trailing whitespace")

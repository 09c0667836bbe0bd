"""The rules for what a prompt is made of: tools, the system prompt, messages, their blocks, and what is cached.

Source: the SDK's `types/content_block_param.py` and `types/message_param.py`, and Anthropic's pages on the Messages
API and on prompt caching.
"""

import re
from typing import Any

from generation.simulated.refusal import invalid

MOST_MESSAGES = 100_000
MOST_CACHED_BLOCKS = 4
TTLS = ("5m", "1h")
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")

TOOL_RESULTS = {
    *("tool_result", "web_search_tool_result", "web_fetch_tool_result", "code_execution_tool_result"),
    *("bash_code_execution_tool_result", "text_editor_code_execution_tool_result", "tool_search_tool_result"),
}
OF_USERS = {"text", "image", "document", "search_result", "container_upload", *TOOL_RESULTS}
# Documents in an assistant's message left with API version 2026-10-21.
OF_ASSISTANTS = {"text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", *TOOL_RESULTS}
BLOCKS = {"user": OF_USERS, "assistant": OF_ASSISTANTS, "system": {"text"}}

OF_TEXT_BLOCKS = {"type", "text", "cache_control", "citations"}


def check_contents(body: dict[str, Any]) -> None:
    """Raises `Refusal` for tools, a system prompt or messages of a wrong shape."""
    _check_tools(body.get("tools", []))
    if "system" in body and body["system"] != "":
        _check_content(body["system"], "system", "system")
    messages = body["messages"]
    if not isinstance(messages, list) or not messages:
        raise invalid("messages: at least one message is required")
    if len(messages) > MOST_MESSAGES:
        raise invalid(f"messages: List should have at most {MOST_MESSAGES} items, not {len(messages)}")
    before = None
    for number, message in enumerate(messages):
        _check_message(message, f"messages.{number}", before)
        before = message["role"]


def _check_tools(tools: object) -> None:
    if not isinstance(tools, list):
        raise invalid("tools: Input should be a valid list")
    for number, tool in enumerate(tools):
        _check_tool(tool, f"tools.{number}")
    if len({tool["name"] for tool in tools}) < len(tools):
        raise invalid("tools: Tool names must be unique.")


def _check_tool(tool: object, where: str) -> None:
    if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
        raise invalid(f"{where}.name: Field required")
    if not TOOL_NAME.fullmatch(tool["name"]):
        raise invalid(f"{where}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
    if tool.get("type", "custom") != "custom":
        return  # one of Anthropic's own
    schema = tool.get("input_schema")
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise invalid(f"{where}.custom.input_schema.type: Input should be 'object'")


def _check_message(message: object, where: str, before: str | None) -> None:
    if not isinstance(message, dict) or message.get("role") not in (*BLOCKS,):
        raise invalid(f"{where}.role: Input should be 'user', 'assistant' or 'system'")
    for name in message.keys() - {"role", "content"}:
        raise invalid(f"{where}.{name}: Extra inputs are not permitted")
    if message["role"] == "system" and before != "user":
        raise invalid(f"{where}.role: a 'system' message must directly follow a 'user' message")
    if message["role"] == "assistant" and before is None:
        raise invalid(f'{where}.role: first message must use the "user" role')
    _check_content(message.get("content"), where, message["role"])


def _check_content(content: object, where: str, role: str) -> None:
    if not isinstance(content, str | list) or not content:
        raise invalid(f"{where}: content must not be empty")
    if isinstance(content, str):
        _check_words(content, where)
        return
    for number, block in enumerate(content):
        _check_block(block, f"{where}.{number}", role)


def _check_block(block: object, where: str, role: str) -> None:
    if not isinstance(block, dict) or not isinstance(block.get("type"), str):
        raise invalid(f"{where}.type: Field required")
    if block["type"] not in BLOCKS[role]:
        raise invalid(f"{where}: '{block['type']}' blocks are not permitted in '{role}' content")
    if block["type"] != "text":
        return
    if not isinstance(block.get("text"), str) or not block["text"]:
        raise invalid(f"{where}: text content blocks must be non-empty")
    _check_words(block["text"], where)
    for name in block.keys() - OF_TEXT_BLOCKS:
        raise invalid(f"{where}.text.{name}: Extra inputs are not permitted")
    if block.get("citations") and role == "user":
        raise invalid(f"{where}.text.citations: citations are not permitted in 'user' content")


def _check_words(text: str, where: str) -> None:
    if not text.strip():
        raise invalid(f"{where}: text content blocks must contain non-whitespace text")


# --- Caching ---------------------------------------------------------------------------------------------


def check_caching(body: dict[str, Any]) -> None:
    """Raises `Refusal` for a wrong `cache_control`, for too many, and for a long one after a short one."""
    found = _cache_controls(body)
    if len(found) > MOST_CACHED_BLOCKS:
        raise invalid(
            f"A maximum of {MOST_CACHED_BLOCKS} blocks with cache_control may be provided. Found {len(found)}."
        )
    short = False
    for where, control in found:
        ttl = _ttl(where, control)
        if ttl == "1h" and short:
            raise invalid(
                f"{where}.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. "
                "Note that blocks are processed in the following order: tools, system, messages."
            )
        short = short or ttl == "5m"


def _cache_controls(body: dict[str, Any]) -> list[tuple[str, object]]:
    """Every `cache_control` and where it is, in the order in which the prompt is read."""
    lists = [("tools", body.get("tools")), ("system", body.get("system"))]
    lists += [(f"messages.{number}.content", message["content"]) for number, message in enumerate(body["messages"])]
    found = [
        (f"{where}.{number}.cache_control", block["cache_control"])
        for where, blocks in lists
        if isinstance(blocks, list)
        for number, block in enumerate(blocks)
        if isinstance(block, dict) and block.get("cache_control") is not None
    ]
    if body.get("cache_control") is not None:
        found.append(("cache_control", body["cache_control"]))
    return found


def _ttl(where: str, control: object) -> str:
    if not isinstance(control, dict) or control.get("type") != "ephemeral":
        raise invalid(f"{where}.type: Input should be 'ephemeral'")
    for name in control.keys() - {"type", "ttl"}:
        raise invalid(f"{where}.{name}: Extra inputs are not permitted")
    ttl = control.get("ttl", "5m")
    if ttl not in TTLS:
        raise invalid(f"{where}.ttl: Input should be '5m' or '1h'")
    return str(ttl)

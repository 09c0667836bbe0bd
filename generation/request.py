"""One draft's Messages API request: the resolved prompt, the brief, and the format of the answer."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from conversations.choices import DimensionKind
from conversations.models import Conversation, Dimension, PromptTemplate
from generation.configuration import Configuration
from generation.errors import PromptUnresolved
from generation.prompts import PromptError, Variable, escape_tags, parse_variables, resolve_all
from generation.reply import output_format

Descriptions = Mapping[tuple[str, str], str]  # (kind, name) -> the dimension's description

HOW_TO_WRITE = """\
Write one complete conversation between a user and an assistant, as a training example.
- 8 to 16 turns in all: the user speaks first, the assistant last, and they take turns. No turn is empty.
- The user is the persona of the brief, and speaks as such a person does: particulars, doubts, half-finished thoughts.
- The assistant is the expert whom this prompt describes. It answers what was asked, in whole sentences.
- The emotion of the brief shows in the user's words and is met by the assistant; it may change on the way.
- Where the brief has a source, the assistant's facts agree with it. Nothing in the brief is quoted as a brief.
- Where it lists required elements, the assistant says each of them; of alternatives divided by |, one is enough.

Answer with one JSON object and nothing else:
{"title": "three to nine words", "turns": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}"""


def descriptions(workspace_id: UUID) -> dict[tuple[str, str], str]:
    """What the workspace's dimensions mean, by kind and name."""
    rows = Dimension.objects.filter(workspace_id=workspace_id).values_list("kind", "name", "description")
    return {(kind, name): text for kind, name, text in rows}


def build_request(
    draft: Conversation,
    *,
    configuration: Configuration,
    described: Descriptions,
    parameters: Mapping[str, object] | None = None,
    shared: Mapping[str, object] | None = None,
    cached: bool = True,
) -> dict[str, Any]:
    """The request for a draft whose template, chunk and document are loaded.

    `parameters` are those given for this run, `shared` those of the batch; `cached` has the stable part written to
    Claude's prompt cache, where others can read it. Raises `PromptUnresolved` with every missing or wrong value at
    once, and `ConfigurationInvalid` when the model does not take what is set for it.
    """
    configuration.check()
    template = draft.template
    if template is None:
        raise PromptUnresolved("The conversation has no template. Choose one, then generate it again.")
    own = own_values(draft, described)
    sources = list(sources_of(draft, own, parameters=parameters, shared=shared).values())
    try:
        resolved = resolve_all(texts_of(template), variables=variables_of(template), sources=sources)
    except PromptError as error:
        raise PromptUnresolved(f"Template “{template.name}”: {error}") from error
    return {
        **configuration.as_request(),
        # The stable part, the same for all conversations of a template, comes first and is cached.
        "system": [
            {
                "type": "text",
                "text": _system(template, resolved["system_prompt"]),
                **({"cache_control": {"type": "ephemeral"}} if cached else {}),
            }
        ],
        "messages": [{"role": "user", "content": f"{resolved['structure']}\n\n{brief_of(draft, own)}"}],
        "output_config": {**output_format(), **({"effort": effort} if (effort := configuration.effort) else {})},
    }


def texts_of(template: PromptTemplate) -> dict[str, str]:
    """The template's texts in which placeholders may stand."""
    return {"system_prompt": template.system_prompt, "structure": template.structure}


def sources_of(
    draft: Conversation,
    own: Mapping[str, object],
    *,
    parameters: Mapping[str, object] | None = None,
    shared: Mapping[str, object] | None = None,
) -> dict[str, Mapping[str, object]]:
    """Where a placeholder's value is looked for, in this order. `own` are the draft's `own_values`."""
    return {
        "run": parameters or {},
        "parameters": draft.parameters,
        "conversation": own,
        "source": _source_values(draft),
        "batch": shared or {},
    }


def variables_of(template: PromptTemplate) -> tuple[Variable, ...]:
    """The template's declared variables. Raises `PromptError` when the declarations are wrong."""
    return parse_variables(template.variables)


def own_values(draft: Conversation, described: Descriptions) -> dict[str, object]:
    """What a draft's own fields offer to its template; a blank field offers nothing."""
    values: dict[str, object] = {"tier": draft.tier, "category": draft.category, "title": draft.title}
    for kind in DimensionKind.values:
        name = getattr(draft, kind)
        values[kind] = name
        values[f"{kind}_description"] = described.get((kind, name), "")
    return {name: value for name, value in values.items() if value}


def _source_values(draft: Conversation) -> dict[str, object]:
    document = draft.document or (draft.chunk.document if draft.chunk else None)
    values: dict[str, object] = {}
    if draft.chunk:
        values["chunk_text"] = draft.chunk.text
    if document:
        values["document_title"] = document.title
    return values


def _system(template: PromptTemplate, resolved: str) -> str:
    return "\n\n".join(part for part in (resolved, additions(template)) if part)


def additions(template: PromptTemplate) -> str:
    """What the system prompt says besides the template's own text, for all of its conversations."""
    parts = [
        HOW_TO_WRITE,
        template.tone and f"Tone: {template.tone}",
        template.style_notes and f"Style: {template.style_notes}",
        template.example_conversation
        and f"An example of the style, not of the content:\n{template.example_conversation}",
    ]
    return "\n\n".join(part for part in parts if part)


def brief_of(draft: Conversation, own: Mapping[str, object]) -> str:
    """The facts of the order, in tags: they are easy to find for Claude, and for simulated Claude."""
    tags = ["tier", *(name for kind in DimensionKind.values for name in (kind, f"{kind}_description"))]
    lines = [f"<{tag}>{escape_tags(str(own[tag]))}</{tag}>" for tag in tags if tag in own]
    elements = draft.template.required_elements if draft.template else []
    if elements:
        listed = "\n".join(f"- {escape_tags(element)}" for element in elements)
        lines.append(f"<required_elements>\n{listed}\n</required_elements>")
    if draft.chunk:
        title = escape_tags(draft.chunk.document.title).replace('"', "'")
        lines.append(f'<source title="{title}">\n{escape_tags(draft.chunk.text)}\n</source>')
    return "\n".join(["<brief>", *lines, "</brief>"])

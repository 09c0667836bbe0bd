"""The form that says what one conversation is made with, filled in from a draft or a former version."""

from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError

from conversations.admin.pairs import PairsField
from conversations.applicability import APPLICABLE
from conversations.choices import DimensionKind
from conversations.models import Chunk, Conversation, Dimension, PromptTemplate
from conversations.ordering import source_about
from generation.prompts import PromptError, Variable
from generation.request import variables_of

VARIABLE = "variable_"
MOST_CHUNKS = 200  # passages that are offered
BY_TOPIC = "topic"  # the choice of a source that leaves it to the topic

Options = list[tuple[str, str]]


class TemplateForm(forms.Form):
    """The template, which says what else there is to choose."""

    template = forms.ModelChoiceField(PromptTemplate.objects.none(), empty_label=None)

    def __init__(self, data: Any, *, templates: Any, address: str) -> None:
        super().__init__(data)
        field: Any = self.fields["template"]
        field.queryset = templates
        field.widget.choices = [("", "Choose a template …"), *_by_tier(templates)]
        anew = {"post": address, "trigger": "change", "target": "#making", "swap": "outerHTML"}
        field.widget.attrs |= {f"hx-{name}": value for name, value in anew.items()}
        field.widget.attrs["hx-vals"] = '{"choose": "1"}'
        # What is filled in meanwhile would be lost.
        field.widget.attrs["hx-disabled-elt"] = "#making fieldset, #making .making-foot .button"


class MakingForm(forms.Form):
    """What a conversation is made with. `base` is the one that the fields are filled in from, saved or not.

    `source`: whether the source may be chosen. Without `data`, `given` are values that came before, by field.
    """

    def __init__(
        self, data: Any, *, base: Conversation, source: bool = True, given: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=dict(given or {}))
        self.base = base
        self.variables = _variables(base)
        for kind, options in _choices(base).items():
            self.fields[kind] = forms.ChoiceField(choices=options, required=False, initial=getattr(base, kind))
        if source:
            self._offer_sources()
        for variable in self.variables:
            self.fields[VARIABLE + variable.name] = _field_of(variable, base.parameters.get(variable.name, ""))
        declared = {variable.name for variable in self.variables}
        others = {name: value for name, value in base.parameters.items() if name not in declared}
        self.fields["others"] = PairsField(
            original=others,
            initial=others,
            required=False,
            label="Further parameters",
            help_text="One in each line, as in: city = Oslo",
        )

    def _offer_sources(self) -> None:
        new = self.base._state.adding
        automatic = [(BY_TOPIC, "The least used passage about the topic")] if new else []
        options = [*automatic, ("", "None"), *_passages(self.base)]
        initial = BY_TOPIC if new else self.base.chunk_id
        self.fields["chunk"] = forms.ChoiceField(choices=options, required=False, initial=initial, label="Source")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for variable in self.variables:
            value = cleaned.get(VARIABLE + variable.name)
            if value and (complaint := variable.complaint_about(value)):
                self.add_error(VARIABLE + variable.name, f"{complaint}.")
            if variable.name in cleaned.get("others", {}):
                self.add_error("others", f"{variable.name} has a field of its own above. Change it there.")
        return cleaned

    def changes(self) -> dict[str, Any]:
        """As `versions.prepare` takes them. A variable left empty is no parameter: its default counts."""
        cleaned = self.cleaned_data
        source = {"chunk": self._chunk(cleaned)} if "chunk" in self.fields else {}
        return {**self._words(cleaned), **source, "parameters": {**self._given(cleaned), **cleaned["others"]}}

    def draft(self) -> Conversation:
        """What the form says so far, right or wrong: a conversation that is not to be saved."""
        values = {name: self[name].value() for name in self.fields}
        draft = copy(self.base)
        for kind, word in self._words(values).items():
            setattr(draft, kind, word)
        if "chunk" in self.fields:
            draft.chunk = self._chunk(values)
            draft.document = draft.chunk.document if draft.chunk else None
        draft.parameters = {**self._given(values), **self._others(values)}
        return draft

    def field_of(self, name: str) -> str:
        """The field in which the value of a placeholder is given."""
        places = [VARIABLE + name, name, name.removesuffix("_description")]
        if name in ("chunk_text", "document_title"):
            places.append("chunk")
        return next((place for place in places if place in self.fields), "others")

    def _words(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Those that are offered: a form that is not checked may hold others."""
        offered: dict[str, Any] = {kind: dict(self.fields[kind].choices) for kind in DimensionKind.values}  # type: ignore[attr-defined]
        given = {kind: str(values.get(kind) or "") for kind in DimensionKind.values}
        return {kind: word if word in offered[kind] else "" for kind, word in given.items()}

    def _chunk(self, values: Mapping[str, Any]) -> Chunk | None:
        chosen = str(values.get("chunk") or "")
        if chosen == BY_TOPIC:
            topic = self._words(values)["topic"]
            return source_about(self.base.workspace, topic) if topic else None
        if not chosen:
            return None
        try:
            chunks = Chunk.objects.filter(workspace=self.base.workspace_id, pk=chosen)
            return chunks.select_related("document").first()
        except ValidationError:  # no key at all
            return None

    def _given(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The declared parameters. A value that is left alone keeps its type."""
        given = {variable.name: str(values.get(VARIABLE + variable.name) or "") for variable in self.variables}
        before = self.base.parameters
        return {
            name: before[name] if name in before and str(before[name]) == value else value
            for name, value in given.items()
            if value
        }

    def _others(self, values: Mapping[str, Any]) -> dict[str, Any]:
        try:
            others: dict[str, Any] = self.fields["others"].clean(values.get("others") or "")
        except ValidationError:
            return {}
        return others

    def about(self) -> list[forms.BoundField]:
        """The fields of who speaks about what."""
        return [self[name] for name in (*DimensionKind.values, "chunk") if name in self.fields]

    def parameters(self) -> list[forms.BoundField]:
        return [self[VARIABLE + variable.name] for variable in self.variables] + [self["others"]]


def _variables(base: Conversation) -> tuple[Variable, ...]:
    """Those that the template declares. What is declared wrongly is said by generation: here it is left out."""
    try:
        return variables_of(base.template) if base.template else ()
    except PromptError:
        return ()


def _choices(base: Conversation) -> dict[str, Options]:
    """By kind: what the template is meant for among the active values, and the present one, whatever it is by now."""
    names: dict[str, dict[str, str]] = {kind: {"": "none"} for kind in DimensionKind.values}
    for kind in DimensionKind.values:
        if word := getattr(base, kind):
            names[kind][word] = word
    for dimension in _meant_for(base):
        names[dimension.kind][dimension.name] = dimension.name
    return {kind: list(options.items()) for kind, options in names.items()}


def _meant_for(base: Conversation) -> Iterator[Dimension]:
    active = Dimension.objects.filter(workspace=base.workspace_id, active=True).order_by("position", "name")
    applicability = base.template.applicability.values_list("dimension", "dimension__kind") if base.template else []
    chosen = {key: kind for key, kind in applicability if kind in APPLICABLE}
    narrowed = set(chosen.values())
    for dimension in active:
        if dimension.kind not in narrowed or dimension.pk in chosen:
            yield dimension


def _passages(base: Conversation) -> list[tuple[str, list[tuple[str, str]]]]:
    """The passages of its own document, else of all, in groups by document."""
    chunks = Chunk.objects.filter(workspace=base.workspace_id).defer("text").select_related("document")
    if base.document_id:
        chunks = chunks.filter(document=base.document_id)
    groups: dict[str, list[tuple[str, str]]] = {}
    for chunk in chunks.order_by("document__title", "document", "position")[:MOST_CHUNKS]:
        groups.setdefault(chunk.document.title, []).append((str(chunk.pk), _passage(chunk)))
    return list(groups.items())


def _passage(chunk: Chunk) -> str:
    topics = ", ".join(map(str, chunk.dimensions.get("topics", [])[:2]))
    return f"{chunk} ({topics})" if topics else str(chunk)


def _by_tier(templates: Any) -> list[tuple[str, list[tuple[str, str]]]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for template in templates:
        groups.setdefault(template.get_tier_display(), []).append((str(template.pk), template.name))
    return list(groups.items())


def _field_of(variable: Variable, value: Any) -> forms.Field:
    default = f"Left empty, it is: {variable.default}." if variable.default and variable.type != "dropdown" else ""
    about: dict[str, Any] = {
        "label": variable.name.replace("_", " ").capitalize(),
        "required": False,
        "initial": value if value == "" else str(value),
        "help_text": " ".join(part for part in (variable.help_text, default) if part),
    }
    if variable.type == "dropdown":
        names = dict.fromkeys(["", *([str(value)] if value != "" else []), *variable.options])
        usual = f"As usual: {variable.default}" if variable.default else "–"
        return forms.ChoiceField(choices=[(name, name or usual) for name in names], **about)
    return forms.CharField(widget=admin.widgets.AdminTextInputWidget, **about)

"""What a request that generates may say: which conversation, made of what, and how Claude is asked."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request

from conversations import editing
from conversations.api.fields import JsonObject
from conversations.api.finding import conversation_of
from conversations.api.views import WorkspaceView
from conversations.changes import OPEN_TO_ORDER
from conversations.choices import DimensionKind
from conversations.models import Conversation, PromptTemplate, Workspace
from conversations.ordering import draft_of, place_in_plan, template_named
from convgen.api.strict import StrictSerializer
from convgen.models import User
from generation.api.configuration import ConfigurationSerializer, overrides_from
from generation.configuration import Overrides
from generation.preview import prepared

WORD = 200  # characters


class WordsSerializer(StrictSerializer):
    """Values of the workspace's dimensions, by their names, and of the template's placeholders."""

    persona = serializers.CharField(required=False, allow_blank=True, max_length=WORD)
    emotion = serializers.CharField(required=False, allow_blank=True, max_length=WORD)
    topic = serializers.CharField(required=False, allow_blank=True, max_length=WORD)
    intent = serializers.CharField(required=False, allow_blank=True, max_length=WORD)
    tone = serializers.CharField(required=False, allow_blank=True, max_length=WORD)
    parameters = JsonObject(required=False, help_text="Values of the template's placeholders, by name.")


class GenerationOrderSerializer(WordsSerializer):
    """Either a conversation that is there, or a template of which one is made."""

    conversation = serializers.CharField(
        required=False, max_length=40, help_text="Its id or readable id; a draft, or one that failed."
    )
    template = serializers.CharField(
        required=False, max_length=WORD, help_text="Its id or name: a new conversation is made of it."
    )
    configuration = ConfigurationSerializer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("conversation" in attrs) == ("template" in attrs):
            raise serializers.ValidationError(
                "Name either a conversation, such as TPL-0001, or a template.", code="one_of"
            )
        if "conversation" in attrs and (given := [kind for kind in DimensionKind.values if attrs.get(kind)]):
            said = "A conversation has its words already: change them on it, or make another of a template."
            raise serializers.ValidationError(dict.fromkeys(given, said), code="not_with_conversation")
        return attrs


def words_of(asked: Mapping[str, Any]) -> dict[str, str]:
    return {kind: asked.get(kind, "") for kind in DimensionKind.values}


def overrides_of(asked: Mapping[str, Any]) -> Overrides:
    return overrides_from(asked.get("configuration"))


def template_of(workspace: Workspace, named: str) -> PromptTemplate:
    """By id or by name. Raises `OrderError`."""
    try:
        key = UUID(named)
    except ValueError:
        return template_named(workspace, named)
    found = PromptTemplate.objects.filter(workspace=workspace, pk=key).first()
    return found or template_named(workspace, named)


def new_draft(workspace: Workspace, asked: Mapping[str, Any], *, by: User) -> Conversation:
    """The draft that the request asks for, not saved. Raises `OrderError`."""
    template = template_of(workspace, asked["template"])
    return draft_of(template, words_of(asked), parameters=asked.get("parameters"), created_by=by)


def placed(view: WorkspaceView, asked: Mapping[str, Any]) -> Conversation:
    """The conversation that the request asks for, in the database, unless what it asks for cannot be made.

    Parameters of one that is there become its own, beside those that it has: what it was made with can be seen on it.
    """
    overrides = overrides_of(asked)
    if "template" in asked:
        draft = new_draft(view.workspace, asked, by=view.person)
        prepared(draft, overrides=overrides)
        return place_in_plan(draft)
    draft = conversation_of(view, asked["conversation"])
    if given := asked.get("parameters"):
        editing.update(draft, {"parameters": {**draft.parameters, **given}}, by=view.person)
        draft.refresh_from_db(fields=["parameters"])
    if draft.status in OPEN_TO_ORDER:  # whoever claims it says what is wrong with the others
        prepared(draft, overrides=overrides)
    return draft


def prefers_async(request: Request) -> bool:
    """Whether the request says `Prefer: respond-async` (RFC 7240)."""
    return any(part.strip().lower() == "respond-async" for part in request.headers.get("Prefer", "").split(","))

"""The rate limits as they stand: what is used, who waits, whether Claude asked everybody to wait."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.views import WorkspaceView
from convgen.api.throttling import Group
from generation.models import RateWaiter, WaitReason
from generation.priority import Priority
from generation.rate_overview import RateOverview, rate_overviews

USE = {"kind": "requests", "limit": 50, "used": 48, "left": 2}
EXAMPLE = [
    {
        "address": "api.anthropic.com",
        "key": "3fa85f",
        "limits": [
            USE,
            {"kind": "input", "limit": 400000, "used": 121000, "left": 279000},
            {"kind": "output", "limit": None, "used": 0, "left": None},
        ],
        "blocked_seconds": 0.0,
        "granted": 1840,
        "refused": 2,
        "waiting": [
            {
                "who": "Fill the gaps",
                "priority": "normal",
                "wanted": 3,
                "reason": "requests",
                "waited_seconds": 4.2,
                "turn_in_seconds": 7.9,
            }
        ],
    }
]


class RateUseSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=["requests", "input", "output"], help_text="Of tokens: input and output.")
    limit = serializers.IntegerField(allow_null=True, min_value=0, help_text="In a minute; null: not known, not held.")
    used = serializers.IntegerField(min_value=0, help_text="Of what counts at the moment.")
    left = serializers.IntegerField(allow_null=True, min_value=0)


class RateWaiterSerializer(serializers.Serializer[Any]):
    who = serializers.CharField(allow_null=True, help_text="A batch or a conversation; null: another workspace's.")
    priority = serializers.ChoiceField(choices=Priority.choices)
    wanted = serializers.IntegerField(min_value=0, help_text="Requests that it would send at once.")
    reason = serializers.ChoiceField(choices=WaitReason.choices, help_text="What it waits for.")
    waited_seconds = serializers.FloatField(min_value=0)
    turn_in_seconds = serializers.FloatField(min_value=0, help_text="Until its turn is likely to come.")


class RateLimitSerializer(serializers.Serializer[Any]):
    """The limits that everything shares which uses one key at one address."""

    address = serializers.CharField(help_text="The server's name.")
    key = serializers.CharField(help_text="The beginning of a checksum of address and API key.")
    limits = RateUseSerializer(many=True)
    blocked_seconds = serializers.FloatField(min_value=0, help_text="For which Claude asked everybody to wait; 0: not.")
    granted = serializers.IntegerField(min_value=0, help_text="Requests let through so far.")
    refused = serializers.IntegerField(min_value=0, help_text="Those of them that Claude answered with 429.")
    waiting = RateWaiterSerializer(many=True, help_text="In the order in which they will be served.")


class RateLimitView(WorkspaceView):
    permissions = {"get": "generation.view_ratestate"}
    throttle_groups = {"get": Group.POLLS}

    @extend_schema(
        tags=["Generation log"],
        operation_id="rate_limit",
        summary="How the rate limits stand",
        description="Of every key that was used here. All workspaces share them.",
        responses=RateLimitSerializer(many=True),
        examples=[OpenApiExample("Nearly used up", value=EXAMPLE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        told = [_told(overview, self.workspace.pk) for overview in rate_overviews()]
        return Response(RateLimitSerializer(told, many=True).data)


def _told(overview: RateOverview, workspace: UUID) -> dict[str, Any]:
    state = overview.state
    return {
        "address": state.address,
        "key": state.key[:6],
        "limits": overview.uses,
        "blocked_seconds": round(overview.blocked_for, 3),
        "granted": state.granted,
        "refused": state.refused,
        "waiting": [_waiter(overview, waiter, workspace) for waiter in overview.waiting],
    }


def _waiter(overview: RateOverview, waiter: RateWaiter, workspace: UUID) -> dict[str, Any]:
    """What members of other workspaces work on is theirs to know."""
    return {
        "who": waiter.who if waiter.of_workspace in (None, workspace) else None,
        "priority": waiter.priority,
        "wanted": waiter.wanted,
        "reason": waiter.reason,
        "waited_seconds": round(overview.waited(waiter), 3),
        "turn_in_seconds": round(overview.turn_in(waiter), 3),
    }

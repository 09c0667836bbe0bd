"""A person's own API tokens."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from convgen import tokens
from convgen.api.strict import StrictSerializer
from convgen.api.views import ThrottledViewSet
from convgen.models import SHORT_ID, ApiToken

LISTED = {
    "id": "9f2c41d07be85a6c3314f0aa",
    "beginning": "convgen_4be19c7",
    "created_at": "2026-11-25T09:30:00Z",
    "expires_at": "2027-02-23T09:30:00Z",
    "current": False,
}


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    id = serializers.RegexField(rf"^[0-9a-f]{{{SHORT_ID}}}$", source="short_id", read_only=True, help_text="For paths.")
    beginning = serializers.CharField(read_only=True, help_text="The first characters of the token.")
    created_at = serializers.DateTimeField(source="created", read_only=True)
    expires_at = serializers.DateTimeField(source="expiry", read_only=True, help_text="When it ends.")
    current = serializers.SerializerMethodField(help_text="Whether it is the one that this request was sent with.")

    class Meta:
        model = ApiToken
        fields = ["id", "beginning", "created_at", "expires_at", "current"]

    def get_current(self, token: ApiToken) -> bool:
        return bool(token == self.context["request"].auth)


class NewTokenSerializer(TokenSerializer):
    token = serializers.CharField(read_only=True, help_text="The token itself. It is shown this once.")

    class Meta(TokenSerializer.Meta):
        fields = [*TokenSerializer.Meta.fields, "token"]


class TokenOrderSerializer(StrictSerializer):
    days = serializers.IntegerField(
        default=settings.API_TOKEN_DAYS,
        min_value=1,
        max_value=settings.API_TOKEN_DAYS,
        help_text="For how many days it is valid.",
    )


@extend_schema(tags=["Tokens"])
@extend_schema_view(
    list=extend_schema(
        operation_id="tokens_list",
        summary="List your tokens",
        description="Those that have not ended, newest first.",
        examples=[OpenApiExample("One token", value=LISTED, response_only=True)],
    ),
    create=extend_schema(
        operation_id="tokens_create",
        summary="Create a token",
        description="For a program that is to act as you. The answer holds the token, and is the only one that does. "
        f"You may have {tokens.MOST} at one time. All of them end when your password is changed.",
        request=TokenOrderSerializer,
        responses={201: NewTokenSerializer},
        parameters=[
            OpenApiParameter("Cache-Control", str, OpenApiParameter.HEADER, response=[201], description="`no-store`")
        ],
        examples=[
            OpenApiExample("For a month", value={"days": 30}, request_only=True),
            OpenApiExample(
                "Created",
                value={**LISTED, "token": "convgen_4be19c7" + "0" * 57},
                response_only=True,
                status_codes=["201"],
            ),
        ],
    ),
    destroy=extend_schema(
        operation_id="tokens_revoke",
        summary="Revoke a token",
        description="It lets nobody in from now on. It may be the one that the request is sent with.",
        parameters=[
            OpenApiParameter(
                "id", {"type": "string", "pattern": f"^[0-9a-f]{{{SHORT_ID}}}$"}, OpenApiParameter.PATH, required=True
            )
        ],
    ),
)
class TokenViewSet(mixins.ListModelMixin, mixins.DestroyModelMixin, ThrottledViewSet):
    serializer_class = TokenSerializer
    queryset = ApiToken.objects.none()  # for the schema: each request asks for its person's own
    orderings = {"created": "created", "expires": "expiry"}
    tie_breakers = ("digest",)
    lookup_url_kwarg = "id"
    lookup_value_regex = "[A-Za-z0-9-]{1,64}"
    also_answers = {"create": (409,)}

    def get_queryset(self) -> Any:
        return ApiToken.objects.valid().filter(user=self.person)

    def get_object(self) -> ApiToken:
        token: ApiToken | None = self.get_queryset().named(self.kwargs["id"]).first()
        if token is None:
            raise NotFound("You have no such token.")
        return token

    def create(self, request: Request) -> Response:
        token, text = tokens.create(self.person, days=self.read(TokenOrderSerializer)["days"])
        shown = NewTokenSerializer(token, context=self.get_serializer_context()).data
        return Response({**shown, "token": text}, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})

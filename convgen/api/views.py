"""What every view of the API is, in a workspace or not: signed in, and throttled."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NoReturn, cast

from rest_framework.exceptions import APIException, NotAuthenticated
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from convgen.api import errors
from convgen.api.ordering import Ordering
from convgen.api.throttling import Group, say_what_is_left
from convgen.models import User
from convgen.throttling import Allowance


class ThrottledView(APIView):
    """A view for whoever is signed in."""

    permission_classes: Sequence[Any] = [IsAuthenticated]
    throttle_groups: ClassVar[Mapping[str, Group]] = {}  # of methods or actions, where it is not that of the method
    also_answers: ClassVar[Mapping[str, Sequence[int]]] = {}  # statuses beside the usual ones, for the schema
    allowance: Allowance | None = None
    body: bytes = b""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """As DRF's, but throttled before anything is looked at."""
        self.format_kwarg = self.get_format_suffix(**kwargs)
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        request.version, request.versioning_scheme = self.determine_version(request, *args, **kwargs)
        self._authenticate_and_throttle(request)
        self.prepare(request)
        self.check_permissions(request)
        self.body = request._request.body  # read whole before it is parsed; raises RequestDataTooBig

    def prepare(self, request: Request) -> None:
        """What the permissions need to be asked."""

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> NoReturn:
        if not request.user.is_authenticated:
            raise NotAuthenticated(errors.SIGN_IN)
        super().permission_denied(request, message, code)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        finalized = super().finalize_response(request, response, *args, **kwargs)
        if "Location" in finalized:  # whole, as every address in a body is
            finalized["Location"] = request.build_absolute_uri(finalized["Location"])
        say_what_is_left(finalized, self.allowance)
        # Whoever else asks at this address is somebody else, or works in another workspace.
        finalized.headers.setdefault("Cache-Control", "private, no-cache")
        return finalized

    def read(self, serializer: type[BaseSerializer[Any]], given: Any = None) -> dict[str, Any]:
        """What the body says, or other values that are `given`. Raises ValidationError."""
        data = self.request.data if given is None else given
        read = serializer(data=data, context={"request": self.request, "view": self})
        read.is_valid(raise_exception=True)
        values: dict[str, Any] = read.validated_data
        return values

    @property
    def person(self) -> User:
        return cast(User, self.request.user)

    def _authenticate_and_throttle(self, request: Request) -> None:
        """Who shows what lets nobody in is nobody, and counts as such: tokens are not tried out at any speed."""
        try:
            self.perform_authentication(request)
        except APIException:
            self.check_throttles(request)
            raise
        self.check_throttles(request)


class ThrottledViewSet(ThrottledView, GenericViewSet[Any]):
    """The same for a viewset; `throttle_groups` are by action. Its lists are ordered as `Ordering` says."""

    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    filter_backends: Sequence[Any] = [Ordering]
    orderings: ClassVar[Mapping[str, str]] = {"created": "created_at"}  # names for the client, and their columns
    ordering = "-created"
    tie_breakers: ClassVar[Sequence[str]] = ("id",)

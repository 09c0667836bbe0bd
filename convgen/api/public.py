"""What anybody may read: throttled by address, or as the reads of whoever is signed in."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from convgen.api.throttling import Group, say_what_is_left
from convgen.throttling import Allowance


class PublicView(APIView):
    permission_classes = [AllowAny]
    throttle_groups: ClassVar[Mapping[str, Group]] = {}
    allowance: Allowance | None = None
    schema = None

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        finalized = super().finalize_response(request, response, *args, **kwargs)
        say_what_is_left(finalized, self.allowance)
        return finalized

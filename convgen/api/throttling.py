"""Throttles: so many requests a minute of one person, in each group of operations (`convgen/throttling.py`)."""

from collections.abc import Mapping
from enum import Enum
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from convgen.throttling import Allowance, take


class Group(Enum):
    """Which operations are counted together. The value is the setting that holds how many a minute; 0: any number."""

    READS = "API_READS_PER_MINUTE"
    POLLS = "API_POLLS_PER_MINUTE"
    WRITES = "API_WRITES_PER_MINUTE"
    GENERATIONS = "API_GENERATIONS_PER_MINUTE"  # what costs money
    ANONYMOUS = "API_ANONYMOUS_PER_MINUTE"  # of one address

    @property
    def per_minute(self) -> int:
        rate: int = getattr(settings, self.value)
        return rate


class GroupThrottle(BaseThrottle):
    """Counts a request in its view's group; what is left goes into the response's headers."""

    allowance: Allowance | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        group = _group(request, view)
        if not group.per_minute:
            return True
        who = request.user.pk if request.user.is_authenticated else network_of(request.META.get("REMOTE_ADDR", ""))
        self.allowance = take(f"{group.name.lower()}:{who}", per_minute=group.per_minute)
        view.allowance = self.allowance
        return self.allowance.granted

    def wait(self) -> float | None:
        return self.allowance.retry_after if self.allowance else None


def _group(request: Request, view: Any) -> Group:
    if not request.user.is_authenticated:
        return Group.ANONYMOUS
    groups: Mapping[str, Group] = getattr(view, "throttle_groups", {})  # pages of libraries have none
    if named := groups.get(getattr(view, "action", None) or (request.method or "").lower()):
        return named
    return Group.READS if request.method in SAFE_METHODS else Group.WRITES


def network_of(address: str) -> str:
    """Whose requests are counted together when nobody has signed in.

    The server gives the address of the client, or that which a proxy it trusts has passed on. Whoever has one IPv6
    address has all 2⁶⁴ of its network.
    """
    try:
        client = ip_address(address)
    except ValueError:
        return "unknown"  # a Unix socket has none
    if isinstance(client, IPv6Address):
        return str(client.ipv4_mapped or IPv6Network((client, 64), strict=False))
    return str(client)


def say_what_is_left(response: Response, allowance: Allowance | None) -> None:
    """The headers of the IETF's draft `ratelimit-headers`, in the form that is in use: whole seconds and requests."""
    if allowance:
        response["RateLimit-Limit"] = str(allowance.limit)
        response["RateLimit-Remaining"] = str(allowance.remaining)
        response["RateLimit-Reset"] = str(allowance.reset)

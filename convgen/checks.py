"""System checks of the database's settings and of the deployment, and the bounds in which every app checks its own.

`manage.py check --deploy` runs those that only matter on a public host.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

PRIVATE_HOSTS = ("localhost", "127.0.0.1", "::1", "[::1]")
DAY = 86_400  # seconds


@dataclass(frozen=True)
class Bounds:
    """Between which values a setting makes sense."""

    setting: str
    low: float
    high: float = math.inf
    low_excluded: bool = False
    unit: str = ""

    def broken(self) -> bool:
        value = getattr(settings, self.setting)
        return not self.low <= value <= self.high or (self.low_excluded and value == self.low)

    def in_words(self) -> str:
        if self.high < math.inf:
            words = f"from {self.low:g} to {self.high:g}"
        else:
            words = f"above {self.low:g}" if self.low_excluded else f"of {self.low:g} or more"
        return f"a number {words}" + (f" ({self.unit})" if self.unit else "")


def out_of_bounds(rules: Iterable[Bounds], *, id: str) -> list[CheckMessage]:
    """An error for every setting that breaks its rule."""
    return [
        Error(
            f"{rule.setting} is {getattr(settings, rule.setting)}, which cannot work.",
            hint=f"Set {rule.setting} to {rule.in_words()}.",
            id=id,
        )
        for rule in rules
        if rule.broken()
    ]


BOUNDS = (
    Bounds("DATABASE_STATEMENT_TIMEOUT", 0, DAY, unit="seconds; 0 for the server's own"),
    Bounds("DATABASE_IDLE_IN_TRANSACTION_TIMEOUT", 0, DAY, unit="seconds; 0 for the server's own"),
    Bounds("DATABASE_POOL_SIZE", 1, unit="connections"),
    Bounds("DATABASE_POOL_TIMEOUT", 0, low_excluded=True, unit="seconds"),
    Bounds("SLOW_QUERY_SECONDS", 0, unit="seconds; 0 logs every statement"),
    *(
        Bounds(f"API_{group}_PER_MINUTE", 0, unit="requests; 0 for any number")
        for group in ("READS", "POLLS", "WRITES", "GENERATIONS", "ANONYMOUS")
    ),
    Bounds("API_TOKEN_DAYS", 1, 3_650, unit="days"),
)


@register()
def check_bounds(**_options: Any) -> list[CheckMessage]:
    return out_of_bounds(BOUNDS, id="convgen.E001")


@register()
def check_slow_queries(**_options: Any) -> list[CheckMessage]:
    """A statement that is cancelled before it counts as slow leaves only its error."""
    timeout, slow = settings.DATABASE_STATEMENT_TIMEOUT, settings.SLOW_QUERY_SECONDS
    if not 0 < timeout <= slow:
        return []
    return [
        Warning(
            f"SLOW_QUERY_SECONDS is {slow:g}, but DATABASE_STATEMENT_TIMEOUT cancels every statement after "
            f"{timeout:g} seconds: slow queries would not be logged before they fail.",
            hint=f"Set SLOW_QUERY_SECONDS below {timeout:g}.",
            id="convgen.W002",
        )
    ]


@register()
def check_origins(**_options: Any) -> list[CheckMessage]:
    """Each names one site, and one that nobody on the way can speak for."""
    return [
        Error(
            f"ALLOWED_ORIGINS has {origin!r}, {wrong}.",
            hint="Name each site whose pages may use the API, as https://tools.example.com or https://host:port.",
            id="convgen.E002",
        )
        for origin in settings.ALLOWED_ORIGINS
        if (wrong := _wrong_with(origin))
    ]


def _wrong_with(origin: str) -> str:
    if "*" in origin:
        return "which would let any site in"
    parts = _parts(origin)
    if parts is None or origin != f"{parts.scheme}://{parts.netloc}" or "@" in parts.netloc or not parts.hostname:
        return "which is not an origin"
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in PRIVATE_HOSTS):
        return ""
    return "whose pages could be forged on their way: they are not sent by https"


def _parts(origin: str) -> SplitResult | None:
    try:
        parts = urlsplit(origin)
        parts.port  # noqa: B018  (raises ValueError for one that is no number)
    except ValueError:
        return None
    return parts


@register(Tags.security, deploy=True)
def check_encryption(**_options: Any) -> list[CheckMessage]:
    """A token that travels without TLS is everybody's."""
    public = _public_hosts()
    if not public or not settings.SITE_URL.startswith("http:"):
        return []
    return [
        Warning(
            f"The site is public ({', '.join(public)}), but SITE_URL is {settings.SITE_URL}: passwords and API tokens "
            "would travel unencrypted.",
            hint="Put a proxy that speaks TLS in front, and set SITE_URL to its https:// address.",
            id="convgen.W003",
        )
    ]


@register(Tags.security, deploy=True)
def check_private_origins(**_options: Any) -> list[CheckMessage]:
    """Whatever runs on a visitor's own machine may have a page there."""
    public = _public_hosts()
    private = [origin for origin in settings.ALLOWED_ORIGINS if origin.startswith("http:")]
    if not public or not private:
        return []
    return [
        Warning(
            f"The site is public ({', '.join(public)}), but pages on a visitor's own machine may use its API "
            f"({', '.join(private)}).",
            hint="Take them out of ALLOWED_ORIGINS; they are for developing.",
            id="convgen.W004",
        )
    ]


@register(Tags.security, deploy=True)
def check_secret_key(**_options: Any) -> list[CheckMessage]:
    """A key that was made below `var/` is lost with the machine, and differs on every other one."""
    public = _public_hosts()
    if not public or not _made_here():
        return []
    return [
        Warning(
            f"The site is public ({', '.join(public)}), but its secret key was made on this machine. "
            "Everybody is signed out when the machine is replaced, or when a second one answers.",
            hint="Set DJANGO_SECRET_KEY to 50 or more random characters, the same on every machine.",
            id="convgen.W001",
        )
    ]


def _public_hosts() -> list[str]:
    return [host for host in settings.ALLOWED_HOSTS if host not in PRIVATE_HOSTS]


def _made_here() -> bool:
    file = settings.VAR_DIR / "secret-key"
    return bool(file.exists() and file.read_text().strip() == settings.SECRET_KEY)

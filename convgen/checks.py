"""System checks of the database's settings and of the deployment, and the bounds in which every app checks its own.

`manage.py check --deploy` runs those that only matter on a public host.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

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


@register(Tags.security, deploy=True)
def check_secret_key(**_options: Any) -> list[CheckMessage]:
    """A key that was made below `var/` is lost with the machine, and differs on every other one."""
    public = [host for host in settings.ALLOWED_HOSTS if host not in PRIVATE_HOSTS]
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


def _made_here() -> bool:
    file = settings.VAR_DIR / "secret-key"
    return bool(file.exists() and file.read_text().strip() == settings.SECRET_KEY)

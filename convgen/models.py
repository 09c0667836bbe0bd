"""What every table shares, and the accounts."""

from collections.abc import Iterable
from typing import Any

import uuid_utils.compat as uuid_utils
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Left
from django.utils import timezone
from knox.models import AuthToken, AuthTokenManager

SHORT_ID = 24  # hexadecimal digits


class Row(models.Model):
    """A table whose key is a UUIDv7: made without asking the database, and in the order of creation."""

    id = models.UUIDField(primary_key=True, default=uuid_utils.uuid7, editable=False)

    class Meta:
        abstract = True


class User(AbstractUser):
    """A person who signs in. What she may do in a workspace is her membership's role."""

    id = models.UUIDField(primary_key=True, default=uuid_utils.uuid7, editable=False)


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def valid(self) -> "ApiTokenQuerySet":
        """Those that have not ended."""
        return self.filter(expiry__gt=timezone.now())

    def named(self, short_id: str) -> "ApiTokenQuerySet":
        found: ApiTokenQuerySet = self.alias(short=Left("digest", SHORT_ID)).filter(short=short_id)
        return found


class ApiToken(AuthToken):
    """What a program shows to be let in as a person (`convgen/tokens.py`). The table is django-rest-knox's."""

    objects = AuthTokenManager.from_queryset(ApiTokenQuerySet)()

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.beginning}…"

    @property
    def has_ended(self) -> bool:
        """One without an end, as only a shell could make it, is none."""
        return self.expiry is None or self.expiry <= timezone.now()

    @property
    def beginning(self) -> str:
        """The first characters of the token, by which its owner knows it again."""
        return str(self.token_key)

    @property
    def short_id(self) -> str:
        """The beginning of its hash: tells it from others, and lets nobody in."""
        return str(self.digest)[:SHORT_ID]


class Throttle(models.Model):
    """What somebody has used up of the requests that are allowed in a minute: `convgen/throttling.py` counts."""

    key = models.CharField(primary_key=True, max_length=100, help_text="What is counted, and whose: reads:…")
    empty_at = models.DateTimeField(help_text="When all of the minute's requests are there again.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.key


def at_least(field: str, least: int, *, table: str) -> models.CheckConstraint:
    """The rule that `field` holds `least` or more, or nothing."""
    return models.CheckConstraint(
        condition=models.Q(**{f"{field}__gte": least}), name=f"{table}_{field}_at_least_{least}"
    )


def between(field: str, low: int, high: int, *, table: str) -> models.CheckConstraint:
    """The rule that `field` lies between two numbers, both included, or holds nothing."""
    in_range = models.Q(**{f"{field}__gte": low, f"{field}__lte": high})
    return models.CheckConstraint(
        condition=models.Q(**{f"{field}__isnull": True}) | in_range, name=f"{table}_{field}_from_{low}_to_{high}"
    )


def one_of(field: str, choices: Iterable[Any], *, table: str, blank: bool = False) -> models.CheckConstraint:
    """The rule that `field` holds one of `choices`, or nothing if it may be `blank`, whoever writes."""
    words = [choice.value for choice in choices]
    return models.CheckConstraint(
        condition=models.Q(**{f"{field}__in": ["", *words] if blank else words}),
        name=f"{table}_{field}_known",
    )

"""Filters in a panel above a list. Each is one parameter of the address, one field of the panel, and one chip when set.

A value that no choice names is kept, and shown as it is: links lead here with words that went out of use.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR, ChangeList
from django.http import HttpRequest

from convgen.text import storable

ANY = "any"


class PanelFilter(admin.SimpleListFilter):
    """A choice in a drop-down list."""

    group: str  # the heading that it stands below
    kind = "select"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return []

    def value(self) -> str | None:
        given = super().value()
        return None if given is None else storable(given)

    def has_output(self) -> bool:
        return bool(self.lookup_choices) or self.value() is not None

    @property
    def options(self) -> list[tuple[str, str]]:
        """Values and their words, the present one among them."""
        given = self.value()
        choices = [(str(value), str(words)) for value, words in self.lookup_choices]
        known = any(value == given for value, _words in choices)
        return choices if known or given is None else [*choices, (given, given)]

    @property
    def chosen(self) -> str:
        """The present value in words."""
        return next((str(words) for value, words in self.options if value == self.value()), "")


class BoundFilter(PanelFilter):
    """One end of a range, typed in. What cannot be read finds nothing, and says so in its chip."""

    allowed: str  # what can be read, in words

    def has_output(self) -> bool:
        return True

    def bound(self) -> Any:
        """The value as it is compared; none when it cannot be read."""
        raise NotImplementedError

    @property
    def chosen(self) -> str:
        given = self.value() or ""
        return given if self.bound() is not None else f"“{given}” is not {self.allowed}"


class ScoreFilter(BoundFilter):
    kind, allowed = "score", "a number from 0 to 10"

    def bound(self) -> Decimal | None:
        try:
            number = Decimal(self.value() or "")
        except InvalidOperation:
            return None
        return number if number.is_finite() and 0 <= number <= 10 else None


class DateFilter(BoundFilter):
    kind, allowed = "date", "a date, as in 2026-11-25"

    def bound(self) -> date | None:
        try:
            day = date.fromisoformat(self.value() or "")
        except ValueError:
            return None
        return day if date.min.year < day.year < date.max.year else None  # a day before and after can be reckoned


@dataclass(frozen=True)
class Chip:
    """A filter that is set, in words, and the address of the list without it."""

    words: str
    without: str


@dataclass(frozen=True)
class Group:
    heading: str
    filters: Sequence[PanelFilter]


class PanelChangeList(ChangeList):
    """A list whose filters are all of the panel."""

    @property
    def panel(self) -> list[PanelFilter]:
        return cast(list[PanelFilter], self.filter_specs)

    @property
    def groups(self) -> list[Group]:
        headings = dict.fromkeys(spec.group for spec in self.panel)
        return [Group(each, [spec for spec in self.panel if spec.group == each]) for each in headings]

    @property
    def chips(self) -> list[Chip]:
        return list(self._chips())

    def _chips(self) -> Iterator[Chip]:
        if self.query:
            yield Chip(f"Search: {self.query}", self.get_query_string({SEARCH_VAR: None}))
        for spec in self.panel:
            if spec.value() is not None:
                without = self.get_query_string({str(spec.parameter_name): None})
                yield Chip(f"{str(spec.title).capitalize()}: {spec.chosen}", without)

    @property
    def filters_set(self) -> int:
        return sum(spec.value() is not None for spec in self.panel)

    @property
    def kept(self) -> dict[str, Any]:
        """What the address says beside search and filters, which the panel's form keeps: the order."""
        return {name: value for name, value in self.params.items() if name == ORDER_VAR}

    @property
    def is_narrowed(self) -> bool:
        """Whether rows may be missing because of what was asked for."""
        return bool(self.query or self.has_active_filters)

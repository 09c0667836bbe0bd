"""Counting that ends: a list of a million rows is not counted for each page that is shown of it."""

from typing import Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property

MOST = 10_000  # rows that are counted and paged through; filters and search lead to the others
FOUND = 1_000  # of those that a search finds: whether words occur in a row is read from its text


class CappedPaginator(Paginator):
    """Pages of the first `MOST` rows; `more` tells whether there are others."""

    @property
    def limit(self) -> int:
        return MOST

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.limit)

    @property
    def more(self) -> bool:
        return self._counted > self.limit

    @cached_property
    def _counted(self) -> int:
        """One more than the limit at most. Order and columns are left out: any rows will do to be counted."""
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[: self.limit + 1].count())


class FoundPaginator(CappedPaginator):
    """The same for what a search has found."""

    @property
    def limit(self) -> int:
        return min(MOST, FOUND)

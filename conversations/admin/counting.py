"""Counting that ends: a list of a million rows is not counted for each page that is shown of it."""

from typing import Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property

MOST = 10_000  # rows that are counted and paged through; filters and search lead to the others


class CappedPaginator(Paginator):
    """Pages of the first `MOST` rows; `more` tells whether there are others."""

    @cached_property
    def count(self) -> int:
        return min(self._counted, MOST)

    @property
    def more(self) -> bool:
        return self._counted > MOST

    @cached_property
    def _counted(self) -> int:
        """One more than `MOST` at most. Order and columns are left out: any rows will do to be counted."""
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[: MOST + 1].count())

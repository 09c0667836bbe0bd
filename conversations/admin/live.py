"""The filter by which numbers of the plan lead to the conversations behind them."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from conversations.models.conversation_queries import is_live


class LiveFilter(admin.SimpleListFilter):
    title = "live"
    parameter_name = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [("yes", "live"), ("no", "archived, rejected, or a version that is not written yet")]

    def queryset(self, request: HttpRequest, conversations: QuerySet[Any]) -> QuerySet[Any]:
        conditions = {"yes": is_live(), "no": ~is_live()}
        condition = conditions.get(self.value() or "")
        return conversations.filter(condition) if condition else conversations

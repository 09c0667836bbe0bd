"""How Claude is asked, as templates and workspaces may set it."""

from typing import Any

from django.core.exceptions import ValidationError

from conversations.api.fields import NumberField
from conversations.api.serializers import RowSerializer
from generation.writable import in_force


def _sampling(name: str) -> NumberField:
    return NumberField(
        max_digits=3,
        decimal_places=2,
        min_value=0,
        max_value=1,
        allow_null=True,
        required=False,
        help_text=f"{name}, 0 to 1. Only older models take it. Null: as set elsewhere.",
    )


class ConfiguredSerializer(RowSerializer):
    """Refuses values that the model would not take, each by its field."""

    temperature = _sampling("Temperature")
    top_p = _sampling("Top-p")

    def check(self, row: Any) -> None:
        super().check(row)
        if problems := in_force(row).problems():
            raise ValidationError({self._told(name): words for name, words in problems.items()})

    def _told(self, name: str) -> str:
        return name if name in self.fields else "__all__"

"""How Claude is asked, as templates and workspaces may set it."""

from typing import Any

from django.core.exceptions import ValidationError

from conversations.api.serializers import RowSerializer
from generation.api.configuration import CHOOSING, STRAYING, share_field
from generation.writable import in_force


class ConfiguredSerializer(RowSerializer):
    """Refuses values that the model would not take, each by its field."""

    temperature = share_field(f"{STRAYING} Null: as it is set elsewhere.")
    top_p = share_field(f"{CHOOSING} Null: as it is set elsewhere.")

    def check(self, row: Any) -> None:
        super().check(row)
        if problems := in_force(row).problems():
            raise ValidationError({self._told(name): words for name, words in problems.items()})

    def _told(self, name: str) -> str:
        return name if name in self.fields else "__all__"

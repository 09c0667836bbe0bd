"""Which conversations an export takes."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count

from conversations.choices import WITH_TURNS, Status, Tier
from conversations.models import Conversation, Workspace
from conversations.models.conversation_queries import ConversationQuerySet
from conversations.naming import all_found, listed, not_found

SCOPES = ("all", *(status.value for status in WITH_TURNS))  # that can be asked for
TIERS = [("all", "All tiers"), *Tier.choices]
SEVERAL, CHOSEN = "several", "chosen"  # that a record may have beside them: several statuses, and chosen one by one
RECORDED_SCOPES = (*SCOPES, SEVERAL, CHOSEN)


class ExportError(Exception):
    """Nothing was exported; the message says what to do."""


class NotThere(ExportError):
    """A conversation that was named is not in the workspace."""


class NotExportable(ExportError):
    """A conversation that was named has no turns that are in use."""


@dataclass(frozen=True)
class Counts:
    """How many conversations an export would take, and how many it leaves out because they are simulated."""

    taken: int = 0
    left_out: int = 0


@dataclass(frozen=True)
class Choice:
    """Conversations that have turns, of some statuses and a tier; with `keys`, those alone."""

    statuses: Collection[str] = (Status.APPROVED.value,)
    tier: str = "all"
    include_simulated: bool = False
    keys: Sequence[UUID] | None = None

    @classmethod
    def of_scope(cls, scope: str, **others: Any) -> "Choice":
        """`scope` is a status, or "all" that have turns."""
        return cls(statuses=[status.value for status in WITH_TURNS] if scope == "all" else [scope], **others)

    @classmethod
    def of_statuses(cls, scopes: Collection[str], **others: Any) -> "Choice":
        """Several statuses; with "all" among them, all that have turns. Raises `ExportError` for what is neither."""
        if unknown := [scope for scope in scopes if scope not in SCOPES]:
            raise ExportError(f"The status must be one of {', '.join(SCOPES)}, not {unknown[0]}.")
        return cls.of_scope("all", **others) if "all" in scopes else cls(statuses=scopes, **others)

    @classmethod
    def of_names(cls, names: Iterable[str], workspace: Workspace, **others: Any) -> "Choice":
        """Conversations one by one, by UUID or readable id. Raises `NotThere` and `NotExportable`."""
        found, missing = all_found(list(names), Conversation.objects.filter(workspace=workspace))
        if missing:
            raise NotThere(not_found(missing))
        rows = list(found.order_by("conversation_id").values_list("pk", "conversation_id", "status"))
        if refused := [
            f"{own} ({Status(status).label.lower()})" for _pk, own, status in rows if status not in WITH_TURNS
        ]:
            raise NotExportable(f"Only what is written and in use is exported, not {listed(refused)}.")
        return cls.of_scope("all", keys=[pk for pk, _own, _status in rows], **others)

    @property
    def scope(self) -> str:
        """As the record of the export has it."""
        if self.keys is not None:
            return CHOSEN
        if set(self.statuses) == {status.value for status in WITH_TURNS}:
            return "all"
        return next(iter(self.statuses)) if len(set(self.statuses)) == 1 else SEVERAL

    def conversations(self, workspace: Workspace) -> ConversationQuerySet:
        """Those that are exported."""
        chosen = self._with_simulated(workspace)
        return chosen if self.include_simulated else chosen.filter(simulated=False)

    def count(self, workspace: Workspace) -> Counts:
        rows = self._with_simulated(workspace).order_by().values_list("simulated").annotate(Count("pk"))
        found: Counter[bool] = Counter(dict(rows))
        if self.include_simulated:
            return Counts(found.total())
        return Counts(found[False], left_out=found[True])

    def as_json(self, chosen: Sequence[str]) -> dict[str, Any]:
        """As the record keeps it. `chosen` are the readable ids of what was chosen one by one."""
        return {
            "include_simulated": self.include_simulated,
            **({"tier": self.tier} if self.tier != "all" else {}),
            **({"statuses": sorted(self.statuses)} if self.scope == SEVERAL else {}),
            **({"chosen": list(chosen)} if self.scope == CHOSEN else {}),
        }

    def _with_simulated(self, workspace: Workspace) -> ConversationQuerySet:
        rows = Conversation.objects.filter(workspace=workspace).in_tier(self.tier).filter(status__in=self.statuses)
        return rows if self.keys is None else rows.filter(pk__in=self.keys)

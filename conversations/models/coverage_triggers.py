"""What conversations leave behind for the coverage counts: a change, whenever what is counted changes."""

import pgtrigger

from conversations.choices import NOT_LIVE, UNWRITTEN

KEYS = ("workspace_id", "template_id", "chunk_id", "persona", "emotion", "topic", "intent", "tone")
NOT_LIVE_LIST = ", ".join(f"'{status.value}'" for status in NOT_LIVE)
UNWRITTEN_LIST = ", ".join(f"'{status.value}'" for status in UNWRITTEN)
INSERT = f"INSERT INTO conversations_coveragechange ({', '.join(KEYS)}, conversations, places)"


def _live(row: str = "") -> str:
    """Whether a conversation is live, as `is_live` of its model says."""
    of = f"{row}." if row else ""
    return f"{of}status NOT IN ({NOT_LIVE_LIST}) AND ({of}version = 1 OR {of}status NOT IN ({UNWRITTEN_LIST}))"


def _keys_of(row: str) -> str:
    return ", ".join(f"{row}.{key}" for key in KEYS)


def _change(row: str, *, times: int) -> str:
    """A conversation's change, unless it is not live."""
    return f"""
        {INSERT}
        SELECT {_keys_of(row)}, {times}, CASE WHEN {row}.slot = '' THEN 0 ELSE {times} END
        WHERE {_live(row)};
    """


def _changes(rows: str, *, sign: str) -> str:
    """The changes of all rows of a statement: one for those with the same words."""
    return f"""
        {INSERT}
        SELECT {", ".join(KEYS)}, {sign}count(*), {sign}count(*) FILTER (WHERE slot <> '')
        FROM {rows} WHERE {_live()} GROUP BY {", ".join(KEYS)};
    """


def _counted(row: str) -> str:
    """What it is counted by."""
    return f"({_live(row)}, {row}.slot = '', {_keys_of(row)})"


class CoverInserted(pgtrigger.Trigger):
    """New conversations are noted for the coverage counts, those with the same words together."""

    name = "cover_inserted"
    level = pgtrigger.Statement
    when = pgtrigger.After
    operation = pgtrigger.Insert
    referencing = pgtrigger.Referencing(new="inserted")
    func = f"{_changes('inserted', sign='+')} RETURN NULL;"


class CoverDeleted(pgtrigger.Trigger):
    """Deleted conversations are taken from the coverage counts at once: a workspace that goes leaves nothing behind."""

    name = "cover_deleted"
    level = pgtrigger.Statement
    when = pgtrigger.After
    operation = pgtrigger.Delete
    referencing = pgtrigger.Referencing(old="deleted")
    func = f"""
        {_changes("deleted", sign="-")}
        PERFORM coverage_fold(workspace_id) FROM (SELECT DISTINCT workspace_id FROM deleted) AS of_deleted;
        RETURN NULL;
    """


class CoverUpdated(pgtrigger.Trigger):
    """Notes when a conversation becomes live, ceases to be, or changes its words. Generating a new one does not."""

    name = "cover_updated"
    when = pgtrigger.After
    operation = pgtrigger.Update
    condition = pgtrigger.Condition(f"({_counted('OLD')} IS DISTINCT FROM {_counted('NEW')})")
    func = f"{_change('OLD', times=-1)} {_change('NEW', times=1)} RETURN NULL;"


class FoldCoverage(pgtrigger.Trigger):
    """Every so many changes, those of the workspace at hand are summed up, so that few need to be read."""

    name = "fold_coverage"
    when = pgtrigger.After
    operation = pgtrigger.Insert
    func = "PERFORM coverage_fold(NEW.workspace_id); RETURN NULL;"

    def __init__(self, *, every: int) -> None:
        super().__init__(condition=pgtrigger.Condition(f"(mod(NEW.id, {every}) = 0)"))

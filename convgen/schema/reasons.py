"""Why a table is there, and each constraint, index, trigger and policy of it.

The comment beside the declaration says it, or `COMMENT ON` in the migration of what no model declares. What our helpers
and Django itself make from a field explains itself: one sentence for each kind stands here.
"""

import inspect
import re

import pgtrigger
from django.db import models
from simple_history.models import HistoricalChanges

from convgen.schema.catalogue import Part, Table
from convgen.schema.comments import comments_of
from convgen.tenancy.policies import POLICY
from convgen.tenancy.references import SameWorkspace

Model = type[models.Model]


def of_table(model: Model, table: Table) -> str:
    """The first paragraph of the model's docstring; "" without."""
    if issubclass(model, HistoricalChanges):
        kept = getattr(model, "instance_type", model)
        return f"Every version of each row of `{kept._meta.db_table}`, kept by django-simple-history."
    if model._meta.auto_created:
        return f"Which rows of two tables belong together: {model._meta.verbose_name}."
    documented = inspect.cleandoc(model.__doc__ or "")
    if documented.startswith(f"{model.__name__}("):
        return table.comment  # Django's own list of the fields
    return " ".join(documented.partition("\n\n")[0].split())


def of_constraint(model: Model, part: Part) -> str:
    if said := _said(model, part.name) or part.comment:
        return said
    return _of_helper(model, part.name) if _is_declared(model, part.name) else _of_field(model, part)


def of_index(model: Model, part: Part) -> str:
    if said := _said(model, part.name) or part.comment:
        return said
    declared = next((index for index in model._meta.indexes if index.name == part.name), None)
    return _of_fields(declared.fields) if declared else _of_indexed_field(model, part)


def of_trigger(model: Model, part: Part) -> str:
    """The comment beside it, or what its class says."""
    # django-pgtrigger puts the declared name between a prefix and a checksum.
    triggers = {trigger.get_pgid(model): trigger for trigger in getattr(model._meta, "triggers", [])}
    trigger = triggers.get(part.name)
    if trigger is None:
        return part.comment
    own = inspect.cleandoc(type(trigger).__doc__ or "") if type(trigger) is not pgtrigger.Trigger else ""
    return _said(model, str(trigger.name)) or " ".join(own.partition("\n\n")[0].split())


def of_policy(_model: Model, part: Part) -> str:
    if part.name == POLICY:
        return "A workspace's rows are seen and written in its scope alone."
    if part.name == f"{POLICY}_read":
        return "Rows only find others, whose policy decides: with a condition here, no index could be used."
    if part.name.startswith(f"{POLICY}_"):
        return "A workspace's rows are written in its scope alone."
    return part.comment


def _said(model: Model, name: str) -> str:
    return comments_of(model).declared.get(name, "")


def _is_declared(model: Model, name: str) -> bool:
    return any(one.name == name for one in model._meta.constraints)


def _of_fields(fields: list[str]) -> str:
    """What the fields of an index say by themselves; "" when they do not."""
    if fields[:1] == ["workspace"] and fields[-2:] == ["created_at", "id"]:
        return f"The list by {' and '.join(fields[1:-2])}, newest first, and the list sorted by it."
    return "What leads to one row, and lets go of it when it is deleted." if len(fields) == 1 else ""


def _of_helper(model: Model, name: str) -> str:
    """What `SameWorkspace`, `referable`, `one_of`, `at_least` and `between` are for."""
    constraint = next((one for one in model._meta.constraints if one.name == name), None)
    if isinstance(constraint, SameWorkspace):
        return "Leads to a row of the same workspace."
    if isinstance(constraint, models.UniqueConstraint) and constraint.fields == ("workspace", "id"):
        return "What references within a workspace lead to. Lists its rows in the order of their creation."
    if isinstance(constraint, models.CheckConstraint) and name.endswith("_known"):
        return "One of the words that the column lists, whoever writes."
    if isinstance(constraint, models.CheckConstraint) and (least := re.search(r"_at_least_(\d+)$", name)):
        return f"Never below {least[1]}."
    if isinstance(constraint, models.CheckConstraint) and (bounds := re.search(r"_from_(\d+)_to_(\d+)$", name)):
        return f"From {bounds[1]} to {bounds[2]}, or nothing."
    return ""


def _of_field(model: Model, part: Part) -> str:
    """What Django makes of a field by itself."""
    if part.definition.startswith("PRIMARY KEY"):
        return "The row's key."
    for field in model._meta.local_concrete_fields:
        if part.definition.startswith(f"FOREIGN KEY ({field.column}) "):
            return "Leads to a row that exists."
        if part.definition == f"UNIQUE ({field.column})":
            return "No two rows share it."
        if part.definition == f"CHECK ({field.column} >= 0)":
            return "Never negative."
    if model._meta.auto_created and part.definition.startswith("UNIQUE"):
        return "Joined once."
    return ""


def _of_indexed_field(model: Model, part: Part) -> str:
    """The same of an index."""
    column = re.fullmatch(r"btree \((\w+)( \w+_pattern_ops)?\)", part.definition)
    field = next((one for one in model._meta.local_concrete_fields if column and one.column == column[1]), None)
    if column is None or field is None:
        return ""
    if column[2]:
        return "Values by their beginning."
    if isinstance(field, models.ForeignKey):
        return "What leads to one row: a related list, and what goes when that row is deleted."
    if issubclass(model, HistoricalChanges):
        return "Versions by this column."
    return comments_of(model).fields.get(field.name, "")

"""References that cannot leave their workspace.

PostgreSQL checks a foreign key without regard to row-level security: a row could point into a workspace that its
writer cannot see. A key over the workspace and the id together forbids that.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import BaseConstraint


def referable(table: str) -> models.UniqueConstraint:
    """What `SameWorkspace` refers to. It also lists a workspace's rows in the order of their creation."""
    return models.UniqueConstraint(fields=["workspace", "id"], name=f"{table}_in_workspace")


class SameWorkspace(BaseConstraint):
    """The foreign key `field`, which must have `db_constraint=False`, leads to a row of the same workspace.

    Like Django's own, the key is checked at the end of the transaction. The other model must be `referable`.
    """

    def __init__(self, field: str, *, name: str) -> None:
        super().__init__(name=name)
        self.field = field

    def constraint_sql(self, model: Any, schema_editor: Any) -> str:
        field = model._meta.get_field(self.field)
        quote = schema_editor.quote_name
        return (
            f"CONSTRAINT {quote(self.name)} FOREIGN KEY ({quote('workspace_id')}, {quote(field.column)}) "
            f"REFERENCES {quote(field.related_model._meta.db_table)} ({quote('workspace_id')}, {quote('id')}) "
            "DEFERRABLE INITIALLY DEFERRED"
        )

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        table = schema_editor.quote_name(model._meta.db_table)
        return f"ALTER TABLE {table} ADD {self.constraint_sql(model, schema_editor)}"

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        table = schema_editor.quote_name(model._meta.db_table)
        return f"ALTER TABLE {table} DROP CONSTRAINT {schema_editor.quote_name(self.name)}"

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: str = "default") -> None:
        """Raises `ValidationError` where the database would refuse the row."""
        if exclude and not exclude.isdisjoint({"workspace", self.field}):
            return
        related = getattr(instance, self.field, None)
        if related is not None and related.workspace_id != instance.workspace_id:
            name = model._meta.get_field(self.field).verbose_name
            message = f"This {name} belongs to another workspace. Choose one of this workspace."
            raise ValidationError({self.field: ValidationError(message, code="other_workspace")})

    def deconstruct(self) -> tuple[str, Any, dict[str, Any]]:
        path, _arguments, _options = super().deconstruct()
        return path, (self.field,), {"name": self.name}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SameWorkspace) and (self.field, self.name) == (other.field, other.name)

    __hash__ = None  # type: ignore[assignment]

"""The log becomes a table divided by months, with its rows; see docs/decisions/0009-log-by-months.md.

Indexes and keys leave the plain table and are made anew on the divided one, so that they keep their names.
"""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

from convgen.database.sql import run_files
from convgen.tenancy.policies import guard
from convgen.tenancy.references import SameWorkspace

SQL = Path(__file__).parent.parent / "sql"
LOG = "generation_generationlog"


def undone(operation):
    """The operation's way back, as the way forth."""
    return migrations.RunSQL(operation.reverse_sql, operation.sql)


def foreign_key(model, *, nullable=True, related_name="+", **options):
    on_delete = django.db.models.deletion.SET_NULL if nullable else django.db.models.deletion.CASCADE
    empty = {"null": True, "blank": True, "db_constraint": False} if nullable else {}
    return models.ForeignKey(
        to=f"conversations.{model}", on_delete=on_delete, related_name=related_name, db_index=False, **empty, **options
    )


def alter(field, to):
    return migrations.AlterField("generationlog", field, to)


def add_index(*fields, name, **options):
    return migrations.AddIndex("generationlog", models.Index(fields=fields, name=name, **options))


def add_constraint(constraint):
    return migrations.AddConstraint("generationlog", constraint)


class Migration(migrations.Migration):
    dependencies = [("conversations", "0003_row_security"), ("generation", "0004_row_security")]

    operations = [
        # The plain table is laid bare.
        undone(guard(LOG)),
        migrations.RemoveIndex("generationlog", "generation_log_created_at"),
        migrations.RemoveIndex("generationlog", "generation_log_failures"),
        migrations.RemoveIndex("generationlog", "generation_log_request"),
        migrations.RemoveIndex("generationlog", "generation_log_response"),
        migrations.RemoveConstraint("generationlog", "generation_log_conversation_same_workspace"),
        migrations.RemoveConstraint("generationlog", "generation_log_template_same_workspace"),
        alter("conversation", foreign_key("conversation", related_name="generation_logs")),
        alter("template", foreign_key("prompttemplate")),
        alter("workspace", foreign_key("workspace", nullable=False, db_constraint=False)),
        alter("run_id", models.UUIDField(help_text="The same for all attempts at one conversation in one go.")),
        # The divided table takes its place and its rows.
        run_files(SQL / "log_partitioned.sql", SQL / "log_partitioned_undo.sql"),
        guard(LOG),
        guard(f"{LOG}_default"),
        run_files(SQL / "log_months.sql", SQL / "log_months_drop.sql"),
        run_files(SQL / "log_maintain.sql", SQL / "log_maintain_drop.sql"),
        run_files(SQL / "log_rows.sql", SQL / "log_rows_undo.sql"),
        # And is dressed as the model says.
        alter("workspace", foreign_key("workspace", nullable=False)),
        add_constraint(SameWorkspace("conversation", name="generation_log_conversation_same_workspace")),
        add_constraint(SameWorkspace("template", name="generation_log_template_same_workspace")),
        add_constraint(
            models.CheckConstraint(condition=models.Q(attempt__gte=1), name="generation_log_attempt_from_one")
        ),
        add_constraint(
            models.CheckConstraint(condition=models.Q(cost_usd__gte=0), name="generation_log_cost_not_negative")
        ),
        add_index("created_at", name="generation_log_created_at"),
        add_index("workspace", "created_at", name="generation_log_newest"),
        add_index(
            "workspace",
            "status",
            "created_at",
            name="generation_log_failures",
            condition=~models.Q(status="succeeded"),
        ),
        add_index(
            "workspace",
            "error_type",
            "created_at",
            name="generation_log_errors",
            condition=~models.Q(error_type=""),
        ),
        add_index("conversation", name="generation_log_conversation"),
        add_index("template", name="generation_log_template"),
        add_index("run_id", name="generation_log_run"),
    ]

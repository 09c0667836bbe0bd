"""Row-level security: the policies that hold each workspace's rows together, as migrations.

The scope reaches PostgreSQL as two settings of the transaction. After a transaction they read as empty strings and
not as null, hence the `nullif`. As sub-selects they are computed once for a statement and not for each row.
"""

from django.db import migrations

WORKSPACE_SETTING = "convgen.workspace"  # a workspace's id
EVERY_SETTING = "convgen.every_workspace"  # 'on'

POLICY = "workspace_scope"

VISIBLE = f"""(
    (SELECT current_setting('{EVERY_SETTING}', true) = 'on')
    OR {{column}} = (SELECT nullif(current_setting('{WORKSPACE_SETTING}', true), '')::uuid)
)"""


def guard(table: str, column: str = "workspace_id") -> migrations.RunSQL:
    """Let the rows of a table be seen and written in their workspace's scope alone, also by the table's owner."""
    return migrations.RunSQL(
        f"""
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY {POLICY} ON {table} USING {VISIBLE.format(column=column)};
        """,
        f"""
        DROP POLICY {POLICY} ON {table};
        ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
        """,
    )


def open_reading(table: str) -> migrations.RunSQL:
    """Let every row of a guarded table be read; written, they are still in their workspace's scope alone.

    For tables that hold no text, only what finds rows of another, guarded table (words, hashes): PostgreSQL uses no
    index on a condition such as `@@` or `&&` where a policy is to be asked first, because these might tell of rows
    that are not to be seen. Such a table must be read by its search alone, and that must join the other table, whose
    policy then decides.
    """
    visible = VISIBLE.format(column="workspace_id")
    return migrations.RunSQL(
        f"""
        DROP POLICY {POLICY} ON {table};
        CREATE POLICY {POLICY}_read ON {table} FOR SELECT USING (true);
        CREATE POLICY {POLICY}_insert ON {table} FOR INSERT WITH CHECK {visible};
        CREATE POLICY {POLICY}_update ON {table} FOR UPDATE USING {visible};
        CREATE POLICY {POLICY}_delete ON {table} FOR DELETE USING {visible};
        """,
        f"""
        DROP POLICY {POLICY}_read ON {table};
        DROP POLICY {POLICY}_insert ON {table};
        DROP POLICY {POLICY}_update ON {table};
        DROP POLICY {POLICY}_delete ON {table};
        CREATE POLICY {POLICY} ON {table} USING {visible};
        """,
    )

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

from django.db import migrations

# django-pgtrigger drops its triggers, but leaves their functions behind.
DROP_FUNCTIONS = r"""
DO $$
DECLARE
    left_behind regprocedure;
BEGIN
    FOR left_behind IN
        SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname ~ '^_?pgtrigger_'
    LOOP
        EXECUTE 'DROP FUNCTION ' || left_behind;
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    """Nothing on the way forward. Migrations that make triggers depend on it, and it ends their undoing."""

    dependencies = [("convgen", "0001_initial")]

    operations = [migrations.RunSQL(migrations.RunSQL.noop, DROP_FUNCTIONS)]

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    """Apart from the tables, whose unique constraint is made at the end of their migration."""

    dependencies = [("conversations", "0009_coverage_count")]

    operations = [migrations.RunSQL((SQL / "coverage_fill.sql").read_text(), migrations.RunSQL.noop)]

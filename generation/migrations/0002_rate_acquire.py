from pathlib import Path

from django.db import migrations

from convgen.database.sql import run_files

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("generation", "0001_initial")]

    operations = [run_files(SQL / "rate_acquire.sql", SQL / "rate_acquire_drop.sql")]

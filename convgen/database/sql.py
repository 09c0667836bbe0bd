"""Raw SQL in migrations: readable files, with the way back beside them."""

from pathlib import Path

from django.db import migrations


def run_files(forward: Path, backward: Path) -> migrations.RunSQL:
    """Run a `.sql` file, and another to undo it."""
    return migrations.RunSQL(forward.read_text(), backward.read_text())

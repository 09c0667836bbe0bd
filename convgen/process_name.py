"""What this process is called, for those who look at many: in `pg_stat_activity`, in the log."""

import sys
from pathlib import Path

DJANGO = ("manage.py", "django-admin")


def process_name() -> str:
    """The management command's name, or else the program's: `run_worker`, `pytest`."""
    program, *arguments = sys.argv or [""]
    if program in ("", "-c"):  # from the terminal, or `python -c …`
        return "python"
    path = Path(program)
    if path.name in DJANGO and arguments:
        return arguments[0]
    return path.parent.name if path.name == "__main__.py" else path.stem

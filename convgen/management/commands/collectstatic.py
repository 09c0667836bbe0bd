"""Collect the static files, without those that no page asks for."""

from typing import Any

from django.contrib.staticfiles.management.commands import collectstatic

from convgen.static_files import NOT_SERVED


class Command(collectstatic.Command):
    def set_options(self, **options: Any) -> None:
        super().set_options(**{**options, "ignore_patterns": [*options["ignore_patterns"], *NOT_SERVED]})

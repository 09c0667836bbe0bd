"""Load the starter workspace."""

from typing import Any

from django.core.management.base import BaseCommand

from conversations.starter.load import load_starter


class Command(BaseCommand):
    help = "Loads the starter workspace, a worked-out domain to run or to copy from. Creates only what is missing."

    def handle(self, **options: Any) -> None:
        loaded = load_starter()
        created = ", ".join(f"{number} {name}" for name, number in loaded.created.items() if number)
        self.stdout.write(f"Workspace “{loaded.workspace.name}”: {created or 'nothing was missing'}.")

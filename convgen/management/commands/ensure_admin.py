"""Make sure that somebody can sign in."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from convgen.models import User
from convgen.secrets_on_disk import secret_on_disk

NAME = "admin"


class Command(BaseCommand):
    help = (
        "Creates the user “admin”, and prints how to sign in. The password is CONVGEN_ADMIN_PASSWORD, or one that is "
        "made once and kept below var/."
    )

    def handle(self, **options: Any) -> None:
        given = settings.CONVGEN_ADMIN_PASSWORD
        file = settings.VAR_DIR / "admin-password"
        with transaction.atomic():  # never a user without a password
            user, created = User.objects.get_or_create(username=NAME, defaults={"is_staff": True, "is_superuser": True})
            if created or (given and not user.check_password(given)):
                user.set_password(given or secret_on_disk(file))
                user.save(update_fields=["password"])
        self.stdout.write(f"Sign in as {NAME} with the password {_hint(given, file, user)}")


def _hint(given: str, file: Any, user: User) -> str:
    if given:
        return "in CONVGEN_ADMIN_PASSWORD."
    kept = file.read_text().strip() if file.exists() else ""
    return kept if kept and user.check_password(kept) else "that you have set."

"""A token for the REST API, from the terminal."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from convgen import tokens
from convgen.models import User

LONGEST = 3_650  # days


class Command(BaseCommand):
    help = (
        "Creates a token with which a user's programs use the REST API. It is shown once, alone on the last line: "
        "TOKEN=$(manage.py create_api_token anna | tail -1). Only its hash is kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="the name with which the user signs in")
        parser.add_argument(
            "--days", type=int, help=f"for how long it is valid, 1 to {LONGEST}; else {settings.API_TOKEN_DAYS}"
        )

    def handle(self, user: str, days: int | None, **options: Any) -> None:
        if days is not None and not 1 <= days <= LONGEST:
            raise CommandError(f"--days must be from 1 to {LONGEST}.")
        person = User.objects.filter(username=user).first()
        if person is None:
            raise CommandError(f"There is no user {user!r}. Give the name with which she signs in.")
        try:
            token, text = tokens.create(person, days=days)
        except tokens.TokenRefused as refused:
            raise CommandError(str(refused)) from refused
        end = timezone.localtime(token.expiry)
        self.stdout.write(f"The API token of {user}, valid until {end:%Y-%m-%d %H:%M %Z}. It is not shown again:")
        self.stdout.write(text)

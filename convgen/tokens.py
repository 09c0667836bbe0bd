"""API tokens: made, and forgotten.

A token is its person's key to the API until it ends, is revoked, or her password is changed. Signing out of the pages
ends nothing: it is programs that use tokens. django-rest-knox makes them, and keeps their hashes.
"""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from convgen.models import ApiToken, User

MOST = 50  # valid tokens of one person
REMEMBERED = timedelta(days=30)  # after its end, in which a token's user is told that it has ended


class TokenRefused(Exception):
    """The person can have no token now. The message says why, and what to do."""


def create(user: User, *, days: int | None = None) -> tuple[ApiToken, str]:
    """A new token, valid for `API_TOKEN_DAYS` unless said otherwise, and its text, which is kept nowhere.

    Raises `TokenRefused`.
    """
    if not user.is_active:
        raise TokenRefused(f"The account {user.username} is not active. Make it active first, or name another one.")
    forget()
    if ApiToken.objects.valid().filter(user=user).count() >= MOST:
        raise TokenRefused(f"{user.username} has {MOST} tokens, and nobody needs more. Revoke one that is not used.")
    lasting = timedelta(days=settings.API_TOKEN_DAYS if days is None else days)
    token, text = ApiToken.objects.create(user=user, expiry=lasting)
    return token, text


def forget() -> int:
    """Delete the tokens that ended long ago; how many there were. Each new one asks for it, so they never heap up."""
    ended = ApiToken.objects.filter(expiry__lt=timezone.now() - REMEMBERED)
    return int(ended.delete()[0])


class TokensEndWithPassword:
    """In the form of a password validator, since Django tells those of every change, whoever makes it.

    Whoever changes a password may do so because somebody else knew it, and has made a token meanwhile.
    """

    def validate(self, password: str, user: User | None = None) -> None:
        """Every password is as good as another here."""

    def get_help_text(self) -> str:
        return "Your API tokens end with your old password."

    def password_changed(self, password: str, user: User) -> None:
        ApiToken.objects.filter(user=user).delete()

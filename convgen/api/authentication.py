"""Who asks: by a token, or by the session of the pages."""

from knox.auth import TokenAuthentication as KnoxAuthentication
from knox.crypto import hash_token
from rest_framework.authentication import SessionAuthentication as SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed

from convgen.models import ApiToken, User


class TokenAuthentication(KnoxAuthentication):
    """`Authorization: Bearer …`, with a token that was given out by `convgen/tokens.py`.

    A token is found by its hash, in one query. knox would read all of the person's tokens for each request, to delete
    the ended ones, and answer bytes that are no UTF-8 with an error 500.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        found = _found(token)
        if found is None:
            raise AuthenticationFailed("This token is not known. It may be incomplete, revoked, or long ended.")
        if found.has_ended:
            raise AuthenticationFailed("This token has ended. Create a new one.")
        if not found.user.is_active:
            raise AuthenticationFailed("The account of this token is not active. Ask an administrator.")
        return found.user, found


def _found(token: bytes) -> ApiToken | None:
    if not token.isascii():
        return None
    digest = hash_token(token.decode("ascii"))
    found: ApiToken | None = ApiToken.objects.select_related("user").filter(digest=digest).first()
    return found

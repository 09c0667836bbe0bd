"""That a request was made, so that the same one, sent again after its answer was lost, is not done again."""

from django.conf import settings
from django.db import models

from conversations.models.workspace import WorkspaceRow


class IdempotencyKey(WorkspaceRow):
    """A key that a client sent along with a request, and what the request made."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200, help_text="As the client chose it.")
    operation = models.CharField(max_length=100, help_text="What was asked for: POST conversations/generate/.")
    request_hash = models.CharField(max_length=64, help_text="SHA-256 of what was sent, in hexadecimal.")
    made = models.UUIDField(null=True, help_text="The id of the row that it made; null: it made none.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints = [
            # A key means one request of one person. Of two at the same moment, the second waits here for the first.
            models.UniqueConstraint(fields=["workspace", "user", "key"], name="idempotency_key_once"),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="idempotency_key_age"),  # what is too old is deleted
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.key}"

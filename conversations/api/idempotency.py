"""`Idempotency-Key`: a request that is sent again, because its answer was lost, makes nothing a second time.

A view that makes something asks in the transaction in which it makes it:

    with transaction.atomic():
        once = idempotency.once(self)
        if once.made is None:
            once.settle(planning.create(order).pk)

Of two such requests at the same moment the second waits for the first one's transaction, and then finds what that made.
What fails makes nothing and is not remembered: it may be sent again with the same key.
After the IETF's draft `idempotency-key-header`; where that has 422, we have 409.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connection
from django.db.transaction import TransactionManagementError
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError

from conversations.models import IdempotencyKey, Workspace
from convgen.api.errors import Conflict

if TYPE_CHECKING:
    from conversations.api.views import WorkspaceView

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"  # the header of an answer that repeats one
KEPT = timedelta(hours=24)
LONGEST = 200  # characters

PARAMETERS = [
    OpenApiParameter(
        HEADER,
        location=OpenApiParameter.HEADER,
        description=f"Any text of your own, up to {LONGEST} characters, such as a UUID. Send the request again with "
        f"the same key when its answer was lost: for {KEPT.total_seconds() / 3600:.0f} hours it is not done twice.",
    ),
    OpenApiParameter(
        REPLAYED,
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        response=[201, 202],
        enum=["true"],
        description="There where an earlier request with the same key had done it.",
    ),
]


@dataclass
class Once:
    """`made` is the id of what an earlier request with the same key made; None: make it now, and settle."""

    made: UUID | None = None
    key: IdempotencyKey | None = None
    replayed: bool = False

    @property
    def headers(self) -> dict[str, str]:
        return {REPLAYED: "true"} if self.replayed else {}

    def settle(self, made: UUID) -> None:
        self.made = made
        if self.key:
            self.key.made = made
            self.key.save(update_fields=["made"])


def once(view: "WorkspaceView") -> Once:
    """What is known of the request's key, until the transaction ends nobody else's to use.

    Raises `Conflict` when the key came with another request before, and `ValidationError` when it cannot be one.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("What a request makes, and that it made it, belong in one transaction.")
    name = view.request.headers.get(HEADER)
    if name is None:
        return Once()
    key = _remembered(view, _checked(name))
    return Once(key.made, key, replayed=key.made is not None)


def _remembered(view: "WorkspaceView", name: str) -> IdempotencyKey:
    workspace = view.workspace
    _forget(workspace)
    path = view.request.path
    mine = IdempotencyKey(
        workspace_id=workspace.pk,
        user=view.person,
        key=name,
        operation=f"{view.request.method} {path.removeprefix('/api/')}"[:100],
        request_hash=hashlib.sha256(f"{path}\n".encode() + view.body).hexdigest(),
    )
    IdempotencyKey.objects.bulk_create([mine], ignore_conflicts=True)
    found = IdempotencyKey.objects.select_for_update().get(workspace=workspace, user=view.person, key=name)
    if found.request_hash != mine.request_hash:
        raise Conflict(
            f"This {HEADER} came with another request before ({found.operation}). Use a new key for a new request.",
            "idempotency_key_reused",
        )
    return found


def _forget(workspace: Workspace) -> None:
    """Delete the keys that are too old, but for those that another transaction deletes, which may last: an export's."""
    old = IdempotencyKey.objects.filter(workspace=workspace, created_at__lt=timezone.now() - KEPT)
    IdempotencyKey.objects.filter(pk__in=old.select_for_update(skip_locked=True).values("pk")).delete()


def _checked(name: str) -> str:
    if not (0 < len(name) <= LONGEST and name.isascii() and name.isprintable()):
        raise ValidationError({HEADER: f"Send 1 to {LONGEST} printable ASCII characters."})
    return name

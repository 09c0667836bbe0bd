"""What people do to a conversation by hand: create it, change it, archive it, delete it.

Each is one transaction: it happens whole, or not at all. What is wrong with the values is a ValidationError by field;
a status that does not allow it has the code “status”.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from conversations import changes as allowed
from conversations import scoring, versions
from conversations.choices import Status, Tier
from conversations.holds import why_it_stays
from conversations.models import Chunk, Conversation, Document, Edit, PromptTemplate, Turn, Workspace
from conversations.numbering import next_ids
from conversations.quality import Turn as Said
from conversations.review import Decided, Decision, decide
from conversations.turns import add, rewrite
from convgen.models import User
from convgen.tenancy.references import SameWorkspace


class EditedMeanwhile(Exception):
    """Somebody else has changed the conversation since you opened it. Look at it again, and repeat your change."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class InUse(Exception):
    """The conversation cannot be deleted now; the message says why, and what to do."""


@dataclass(frozen=True)
class Edited:
    """How an update went: the conversation as it is now, the fields that were changed, and the score then and now."""

    conversation: Conversation
    fields: tuple[str, ...]
    score_before: Decimal | None
    score_after: Decimal | None
    sent_to_review: bool = False


@transaction.atomic
def create(
    *,
    workspace: Workspace,
    tier: str = "",
    template: PromptTemplate | None = None,
    chunk: Chunk | None = None,
    document: Document | None = None,
    turns: Sequence[Mapping[str, Any]] = (),
    by: User | None = None,
    **values: Any,
) -> Conversation:
    """A conversation with its turns, scored and comparable at once; without turns, a draft.

    `values` are those that can be changed later. The tier is the template's, where none is given; the document, the
    chunk's. Raises ValidationError with all that is wrong.
    """
    conversation = Conversation(
        workspace=workspace,
        tier=tier or (template.tier if template else ""),
        template=template,
        template_version=template.version if template else None,
        chunk=chunk,
        document=document or (chunk.document if chunk else None),
        created_by=by,
    )
    cleaned = _checked(conversation, {**values, "turns": turns} if turns else values)
    said: list[Said] = cleaned.pop("turns", [])
    for name, value in cleaned.items():
        setattr(conversation, name, value)
    [conversation.conversation_id] = next_ids(workspace.pk, conversation.tier, 1)
    _insert(conversation, said)
    return conversation


def _checked(conversation: Conversation, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are stored. Raises ValidationError with what is wrong about them and about the new row."""
    problems: dict[str, Any] = {}
    cleaned: dict[str, Any] = {}
    if conversation.tier not in Tier.values:
        problems["tier"] = f"Choose a tier: {', '.join(Tier.values)}."
    for constraint in Conversation._meta.constraints:
        if isinstance(constraint, SameWorkspace):
            _gather(problems, partial(constraint.validate, Conversation, conversation))
    _gather(problems, lambda: cleaned.update(allowed.cleaned(values)))
    if problems:
        raise ValidationError(problems)
    return cleaned


def _gather(problems: dict[str, Any], check: Callable[[], object]) -> None:
    try:
        check()
    except ValidationError as error:
        problems.update(error.error_dict)


def _insert(conversation: Conversation, said: list[Said]) -> None:
    if not said:
        conversation.save(force_insert=True)
        return
    scored = scoring.score(conversation, said)
    for column, value in scored.columns.items():
        setattr(conversation, column, value)
    conversation.status = scoring.status_after(Status.GENERATED, scored.report)
    conversation.save(force_insert=True)
    add(conversation, said)
    scoring.remember(conversation, scored)


@transaction.atomic
def update(
    conversation: Conversation, changes: Mapping[str, Any], *, by: User | None, seen: datetime | None = None
) -> Edited:
    """Change the fields given, and only them; with turns, score it anew.

    `seen` is the `updated_at` of what the person looked at: if there is a later one, nothing is overwritten, and
    EditedMeanwhile is raised. Who changed what is kept as an edit, with the turns that were replaced. A conversation
    that was generated goes to review if its new score asks for it; what a reviewer has begun stays where it is.
    """
    current = _locked(conversation)
    if seen is not None and current.updated_at != seen:
        raise EditedMeanwhile
    values = allowed.cleaned(changes)
    old = list(current.turns.all()) if "turns" in values else []
    changed = {name: value for name, value in values.items() if value != _present(current, name, old)}
    allowed.refuse_closed(current.status, changed)
    turns_before = [{"role": turn.role, "content": turn.content} for turn in old] if "turns" in changed else None
    edited = _write(current, changed, old)
    if changed:
        _record(edited, turns_before, by)
    return edited


def _locked(conversation: Conversation) -> Conversation:
    rows = Conversation.objects.select_related("template", "chunk").select_for_update(of=("self",))
    return rows.get(pk=conversation.pk)


def _present(conversation: Conversation, name: str, turns: list[Turn]) -> Any:
    return [Said(turn.role, turn.content) for turn in turns] if name == "turns" else getattr(conversation, name)


def _write(conversation: Conversation, changed: dict[str, Any], old: list[Turn]) -> Edited:
    before, status = conversation.quality_score, conversation.status
    columns = {name: value for name, value in changed.items() if name != "turns"}
    if "turns" in changed:
        columns |= _rewrite_turns(conversation, old, changed["turns"])
    for column, value in columns.items():
        setattr(conversation, column, value)
    if columns:
        conversation.save(update_fields=[*columns, "updated_at"])
    sent = conversation.status != status
    return Edited(conversation, tuple(changed), before, conversation.quality_score, sent_to_review=sent)


def _rewrite_turns(conversation: Conversation, old: list[Turn], new: list[Said]) -> dict[str, Any]:
    """Rewrite the turns and what is known of them; the columns of the conversation that follow."""
    scored = scoring.score(conversation, new)
    rewrite(conversation, old, new)
    scoring.remember(conversation, scored)
    return {**scored.columns, "status": scoring.status_after(conversation.status, scored.report)}


def _record(edited: Edited, turns_before: list[dict[str, str]] | None, by: User | None) -> None:
    conversation = edited.conversation
    Edit.objects.create(
        workspace_id=conversation.workspace_id,
        conversation=conversation,
        edited_by=by,
        fields=list(edited.fields),
        turns_before=turns_before,
        score_before=edited.score_before,
        score_after=edited.score_after,
    )


def archive(conversation: Conversation, *, by: User, note: str = "") -> Decided:
    """Take it out of use; it can still be read. The same decision as a reviewer's, in its review history."""
    return decide(Conversation.objects.filter(pk=conversation.pk), decision=Decision.ARCHIVE, by=by, note=note)


@transaction.atomic
def delete(conversation: Conversation, *, by: User) -> None:
    """Delete it for good, with its turns, fingerprint, edits and places in batches that have ended.

    What it cost stays in the log. Raises PermissionDenied, and InUse while it is generated or waits in a batch.
    """
    if not by.has_perm("conversations.delete_conversation"):
        raise PermissionDenied(
            "You may not delete conversations: archive it instead, or ask a lead of the workspace to delete it."
        )
    versions.lock(conversation)  # in the order in which a new version is saved
    current = _locked(conversation)
    if reason := why_kept(current) or _awaited_by(current):
        raise InUse(f"{current} cannot be deleted now. {reason}")
    current.delete()


def _awaited_by(conversation: Conversation) -> str:
    """Why it must wait for the version that is to replace it: that one inherits its place in the plan."""
    chain = versions.chain(conversation)
    version = chain.under_way
    if version and chain.current.pk == conversation.pk and why_kept(version):
        return f"It is being regenerated: wait until {version} is done, or cancel the batch that it waits in."
    return ""


def why_kept(conversation: Conversation) -> str:
    """Why it cannot be deleted now, and what to do; empty when it can."""
    return allowed.GENERATING if conversation.status == Status.GENERATING else why_it_stays(conversation)

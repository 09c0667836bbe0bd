"""What a member may do in her workspace.

Each role is a group of Django's accounts, named as the role is. What a group may do is written here and nowhere else:
every `migrate` brings the groups back to it. Models of the apps uphill are named, as their pages are, and not imported.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import DEFAULT_DB_ALIAS

from conversations.choices import Role


def _may(verbs: str, *models: str) -> frozenset[str]:
    """`_may("add change", "batches.batchjob")` is `{"batches.add_batchjob", "batches.change_batchjob"}`."""
    pairs = [model.split(".") for model in models]
    return frozenset(f"{app}.{verb}_{name}" for app, name in pairs for verb in verbs.split())


_WRITTEN = ("conversations.dimension", "conversations.prompttemplate", "conversations.document", "conversations.chunk")
_RECORDED = ("conversations.export", "generation.generationlog", "batches.batchitem", "batches.messagebatch")
_TEAM = ("conversations.workspace", "conversations.membership")
_MADE = ("conversations.conversation", "batches.batchjob")

_LOOKS = _may("view", *_WRITTEN, *_MADE, *_RECORDED, *_TEAM)
_CURATES = (
    _LOOKS
    | _may("add change", *_WRITTEN)
    | _may("add change", "conversations.conversation")  # add: by the API alone
    | _may("add change", "batches.batchjob")  # add: start a batch, which costs money; change: steer it
)
_REVIEWS = _CURATES | {"conversations.review_conversation"}
_OPERATES = (
    _LOOKS
    | _may("change", "batches.batchjob")
    | _may("add", "conversations.export")
    | _may("view", "generation.ratestate")
)
_LEADS = (
    _REVIEWS
    | _OPERATES
    | _may("delete", *_WRITTEN, *_MADE)
    | _may("change", "conversations.workspace")
    | _may("add change delete", "conversations.membership")
    | _may("view", "convgen.user")  # to find a new member by her user name
)

PERMISSIONS = {
    Role.CURATOR: _CURATES,
    Role.REVIEWER: _REVIEWS,
    Role.LEAD: _LEADS,
    Role.OPERATOR: _OPERATES,
}


def make_groups(*, using: str = DEFAULT_DB_ALIAS, apps: Any = installed, **_signal: Any) -> None:
    """Bring the roles' groups into line with `PERMISSIONS`, as often as it is called.

    It is called after `migrate` and not by a migration: permissions do not exist while migrations run, and tests flush
    them away. Django makes an app's permissions after ours has been called, so they are made here, which is harmless.
    """
    for app in _apps_named():
        create_permissions(app, verbosity=0, using=using, apps=apps)
    try:
        group_model, permission_model = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    except LookupError:  # migrated back to before there were accounts
        return
    rows = permission_model.objects.using(using).values_list("content_type__app_label", "codename", "pk")
    known = {f"{app}.{codename}": pk for app, codename, pk in rows}
    for role, names in PERMISSIONS.items():
        group, _created = group_model.objects.using(using).get_or_create(name=role.value)
        group.permissions.set([known[name] for name in names if name in known])


def _apps_named() -> Iterator[AppConfig]:
    labels = {name.partition(".")[0] for names in PERMISSIONS.values() for name in names}
    return (installed.get_app_config(label) for label in sorted(labels))

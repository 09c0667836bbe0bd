"""The menu at the end of each row: what can be done with this one conversation, as it stands."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.safestring import SafeString


@dataclass(frozen=True)
class Entry:
    """A link, or with `does` a button of the list's form.

    `does` is an action, a key and when that row was last changed: `approve 0193… 2026-11-25T…`.
    """

    label: str
    icon: str
    url: str = ""
    dialog: bool = True
    does: str = ""
    danger: bool = False


def row_menu(subject: object, entries: Sequence[Entry]) -> SafeString:
    return render_to_string("conversations/row_menu.html", {"subject": subject, "entries": entries})

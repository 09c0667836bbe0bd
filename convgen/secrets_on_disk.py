"""Secrets that a checkout makes for itself once, so that nothing has to be configured to try the product."""

import os
import secrets
from pathlib import Path


def secret_on_disk(path: Path) -> str:
    """The secret kept in `path`, made on first use; readable by its owner alone.

    Several processes may ask at once: the file appears whole, and all of them read the same one.
    """
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        _create(path)
        return path.read_text().strip()


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(18 if "password" in path.name else 50))
    try:
        os.link(draft, path)  # unlike a rename, this never replaces the secret of another process
    except FileExistsError:
        pass
    finally:
        draft.unlink()

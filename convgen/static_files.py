"""Static files: under names that tell their content, so that browsers keep them for ever, and compressed beforehand.

`manage.py collectstatic` puts them into `STATIC_ROOT`, ours alone of all that packages bring; `manage.py serve` does it
by itself where that is needed, through `prepare`.
"""

import fcntl
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin
from django.core.management import call_command
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

# What no page asks for: source maps, what REST framework's own pages would need, versions of htmx that are not ours.
NOT_SERVED = ["*.map", "rest_framework", "htmx-4*", "htmax-4*"]

BROTLI_QUALITY = 9  # the highest, 11, takes ten times as long and saves a twentieth more


class QuickCompressor(Compressor):
    @staticmethod
    def compress_brotli(data: bytes) -> bytes:
        compressed: bytes = brotli.compress(data, quality=BROTLI_QUALITY)
        return compressed


def _without_source_maps(patterns: Any) -> Any:
    """What is looked for in a file and replaced: not the names of source maps, since they are not served."""
    return tuple((files, tuple(one for one in each if "sourceMappingURL" not in str(one))) for files, each in patterns)


class Storage(CompressedManifestStaticFilesStorage):
    patterns = _without_source_maps(ManifestFilesMixin.patterns)
    keep_only_hashed_files = True

    def create_compressor(self, **options: Any) -> Compressor:
        return QuickCompressor(**options)

    def post_process(self, paths: dict[str, Any], **options: Any) -> Iterator[Any]:
        yield from super().post_process(paths, **options)
        if not options.get("dry_run"):
            _stamp().write_text(_fingerprint())


def are_collected() -> bool:
    """Whether any are, of this version or a former one: without them no page can be shown."""
    return _stamp().exists()


def prepare() -> bool:
    """Collect the static files unless they are, just as they stand here; whether that was needed.

    Of several processes that start at once, one does it and the others wait for it.
    """
    if _up_to_date():
        return False
    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _up_to_date():
            return False
        call_command("collectstatic", interactive=False, verbosity=0)
    return True


def _up_to_date() -> bool:
    return are_collected() and _stamp().read_text() == _fingerprint()


def _stamp() -> Path:
    return Path(settings.STATIC_ROOT) / ".collected"


def _fingerprint() -> str:
    """Of all files that are to be served, by name, size and time of change: to read them would take longer."""
    told = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list(NOT_SERVED):
            stat = Path(storage.path(path)).stat()
            told.update(f"{path} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return told.hexdigest()

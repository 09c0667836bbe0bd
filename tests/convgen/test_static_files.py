"""Static files as they are served: hashed, compressed, kept for ever; and pages, which are compressed on their way."""

import gzip
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse
from whitenoise.middleware import WhiteNoiseMiddleware

from convgen import settings as configured
from convgen import static_files
from convgen.compression import CompressedPages

OURS = [
    Path(settings.BASE_DIR, folder) for folder in ("templates", "convgen", "conversations", "generation", "batches")
]


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the static files, collected as the product does it."""
    root = tmp_path_factory.mktemp("static")
    with override_settings(STATIC_ROOT=root, STORAGES=configured.STORAGES):
        call_command("collectstatic", interactive=False, verbosity=0)
    return root


@pytest.fixture
def serving(collected: Path) -> Iterator[None]:
    with override_settings(STATIC_ROOT=collected, STORAGES=configured.STORAGES, WHITENOISE_AUTOREFRESH=False):
        yield


def test_names_tell_the_content_and_both_compressions_lie_beside(collected: Path) -> None:
    named = json.loads((collected / "staticfiles.json").read_text())["paths"]
    look = collected / named["convgen/look.css"]
    assert re.fullmatch(r"look\.[0-9a-f]{12}\.css", look.name)
    assert not (collected / "convgen/look.css").exists()
    assert gzip.decompress(look.with_name(f"{look.name}.gz").read_bytes()) == look.read_bytes()
    assert look.with_name(f"{look.name}.br").exists()


def test_what_no_page_asks_for_is_left_out(collected: Path) -> None:
    assert list(collected.rglob("*.map")) == []
    assert not (collected / "rest_framework").exists()


def test_browsers_keep_them_for_ever_and_get_them_compressed(serving: None, db: None) -> None:
    middleware = WhiteNoiseMiddleware(lambda _request: HttpResponse(status=404))
    address = staticfiles_storage.url("convgen/look.css")
    answer = middleware(RequestFactory().get(address, headers={"Accept-Encoding": "gzip, br"}))
    assert (answer.status_code, answer["Content-Encoding"]) == (200, "br")
    assert "immutable" in answer["Cache-Control"]
    answer.close()


def test_they_are_collected_when_they_have_changed_and_not_again(
    collected: Path, serving: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not static_files.prepare()
    path = finders.find("convgen/look.css")
    assert isinstance(path, str)
    stat = os.stat(path)
    try:
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
        assert static_files.prepare()
        assert not static_files.prepare()
    finally:
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_where_none_are_collected_that_is_told(tmp_path: Path) -> None:
    with override_settings(STATIC_ROOT=tmp_path):
        assert not static_files.are_collected()


def test_every_file_that_a_template_names_is_there(collected: Path) -> None:
    """Where one is missing, the page cannot be shown."""
    named = json.loads((collected / "staticfiles.json").read_text())["paths"]
    texts = [path.read_text() for folder in OURS for path in folder.rglob("*.html")]
    asked = {name for text in texts for name in re.findall(r"{% static [\"']([^\"']+)[\"']", text)}
    assert "convgen/look.css" in asked
    assert sorted(asked - set(named)) == []


def test_pages_are_compressed_and_nothing_else() -> None:
    request = RequestFactory().get("/", headers={"Accept-Encoding": "gzip"})

    def sent(response: HttpResponse | StreamingHttpResponse) -> bool:
        return CompressedPages(lambda _request: response)(request).has_header("Content-Encoding")

    assert sent(HttpResponse("x" * 1000))
    assert not sent(HttpResponse("x" * 1000, headers={"ETag": '"1"'}))
    assert not sent(JsonResponse({"x": "x" * 1000}))
    assert not sent(StreamingHttpResponse(iter(["x" * 1000])))


def test_the_login_arrives_compressed(db: None) -> None:
    answer = Client(headers={"Accept-Encoding": "gzip"}).get(reverse("admin:login"))
    assert answer["Content-Encoding"] == "gzip"
    assert "Log in" in gzip.decompress(answer.content).decode()

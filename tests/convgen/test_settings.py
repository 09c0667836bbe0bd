"""`.env.example` names every variable that is read, with the default that it has."""

import ast
import re
from pathlib import Path
from typing import Any

import environ
import pytest
from django.conf import settings

READ_IN = ("convgen/settings.py", "convgen/database/configuration.py")
NOT_LITERAL = {"CONVGEN_VAR_DIR", "STATIC_ROOT", "TEST_DATABASE_NAME"}  # their defaults are made from others
EXAMPLE = re.compile(r"(?P<comment>(?:^#.*\n)?)^#(?P<name>[A-Z][A-Z_]*)=(?P<value>.*)$", re.MULTILINE)


def _read() -> dict[str, tuple[str, Any]]:
    """Every variable that the code reads: how, and with which default."""
    found = {}
    for path in READ_IN:
        for node in ast.walk(ast.parse(Path(settings.BASE_DIR, path).read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("env.") and node.args:
                name = node.args[0]
                if isinstance(name, ast.Constant):
                    reader = ast.unparse(node.func).removeprefix("env.")
                    found.setdefault(str(name.value), (reader, _default(node)))
    return found


def _default(call: ast.Call) -> Any:
    for keyword in call.keywords:
        if keyword.arg == "default" and isinstance(keyword.value, ast.Constant | ast.List | ast.Dict):
            return ast.literal_eval(keyword.value)
    return None


def _documented() -> dict[str, tuple[str, str]]:
    """Every variable of `.env.example`: its comment and its value."""
    text = Path(settings.BASE_DIR, ".env.example").read_text()
    return {match["name"]: (match["comment"], match["value"]) for match in EXAMPLE.finditer(text)}


def test_every_variable_is_documented_and_none_besides() -> None:
    assert len(_read()) > 25
    assert set(_documented()) == set(_read())


def test_each_has_one_line_of_meaning_with_its_default() -> None:
    without = [name for name, (comment, _value) in _documented().items() if not re.search(r"^# .*\.$", comment.strip())]
    assert without == []
    unsaid = [name for name, (comment, _value) in _documented().items() if "Default: " not in comment]
    assert unsaid == []


@pytest.mark.parametrize("name", sorted(_read().keys() - NOT_LITERAL))
def test_the_value_shown_is_the_default(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, default = _read()[name]
    monkeypatch.setenv(name, _documented()[name][1])
    assert getattr(environ.Env(), reader)(name) == default


def test_nothing_is_set_by_a_copy_of_the_example() -> None:
    lines = Path(settings.BASE_DIR, ".env.example").read_text().splitlines()
    assert [line for line in lines if line.strip() and not line.startswith("#")] == []

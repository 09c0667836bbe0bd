"""What a browser may load for an answer of the API."""

from django.test import Client

from tests.api_client import Api


def policy(response) -> dict[str, str]:
    directives = response["Content-Security-Policy"].split("; ")
    return dict(directive.split(" ", 1) for directive in directives)


def test_an_answer_in_json_loads_nothing(curator: Api) -> None:
    for path in ("dimensions/", "nothing/", "schema/", ""):
        assert policy(curator.get(path)) == {"default-src": "'none'", "frame-ancestors": "'none'"}


def test_a_page_loads_our_files_alone(admin_client: Client) -> None:
    for path in ("/api/", "/api/dimensions/", "/api/nothing/", "/api/docs/", "/api/redoc/"):
        directives = policy(admin_client.get(path, headers={"Accept": "text/html"}))
        assert directives["default-src"] == "'none'"
        assert directives["script-src"] == directives["connect-src"] == directives["form-action"] == "'self'"
        assert "unsafe" not in str(directives) and "nonce" not in str(directives) and "http" not in str(directives)


def test_only_redoc_adds_styles_and_each_is_named_by_its_hash(client: Client, db: None) -> None:
    assert policy(client.get("/api/docs/"))["style-src"] == "'self'"
    styles = policy(client.get("/api/redoc/"))["style-src"].split()
    assert styles[0] == "'self'" and all(each.startswith("'sha256-") for each in styles[1:])

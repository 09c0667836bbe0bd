"""A person's own tokens."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from convgen import tokens
from convgen.models import ApiToken, User
from tests.api_client import Api, api_of, problems, told
from tests.factories import UserFactory


@pytest.fixture
def anna(db: None) -> User:
    return UserFactory(username="anna")


@pytest.fixture
def client(anna: User) -> Api:
    return api_of(anna)


def _with(token: str, *, scheme: str = "Bearer") -> Any:
    return Api().get("tokens/", headers={"Authorization": f"{scheme} {token}"})


def test_a_token_is_made_shown_once_and_lets_its_person_in(client: Api) -> None:
    created = client.post("tokens/", {"days": 30})
    assert created.status_code == 201
    assert created["Cache-Control"] == "no-store"
    token = created.json()["token"]
    assert token.startswith("convgen_")
    assert token.startswith(created.json()["beginning"])
    listed = _with(token).json()["results"]
    assert token not in str(listed)
    assert listed[0] == {**{key: value for key, value in created.json().items() if key != "token"}, "current": True}


def test_nothing_but_its_hash_is_stored(client: Api) -> None:
    token = client.post("tokens/").json()["token"]
    stored = str(list(ApiToken.objects.values()))
    assert token[len("convgen_") + 7 :] not in stored


def test_it_is_valid_for_as_long_as_said(client: Api, settings: Any) -> None:
    def lasting(body: dict[str, int]) -> timedelta:
        created = client.post("tokens/", body)
        return ApiToken.objects.get(digest__startswith=created.json()["id"]).expiry - timezone.now()

    assert timedelta(days=30) - lasting({"days": 30}) < timedelta(minutes=1)
    assert timedelta(days=settings.API_TOKEN_DAYS) - lasting({}) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("days", "code"), [(0, "min_value"), (91, "max_value"), ("long", "invalid"), (None, "null"), (10**400, "invalid")]
)
def test_a_wrong_number_of_days_is_refused(client: Api, days: Any, code: str) -> None:
    refused = client.post("tokens/", {"days": days})
    assert set(problems(refused, 400)) == {"days"}
    assert ApiToken.objects.count() == 1


def test_hers_are_listed_newest_first_without_those_that_have_ended(client: Api, anna: User) -> None:
    newest, _text = tokens.create(anna)
    ended, _text = tokens.create(anna)
    ApiToken.objects.filter(pk=ended.pk).update(expiry=timezone.now())
    tokens.create(UserFactory())
    answer = client.get("tokens/").json()
    assert [(each["id"], each["current"]) for each in answer["results"]] == [
        (newest.short_id, False),
        (ApiToken.objects.filter(user=anna).exclude(pk__in=[newest.pk, ended.pk]).get().short_id, True),
    ]
    assert client.get("tokens/", {"ordering": "expires", "page_size": 1}).json()["next"]


def test_a_revoked_token_lets_nobody_in(client: Api) -> None:
    made = client.post("tokens/").json()
    assert _with(made["token"]).status_code == 200
    assert client.delete(f"tokens/{made['id']}/").status_code == 204
    assert problems(_with(made["token"]), 401) == {None: "authentication_failed"}


def test_a_program_can_revoke_the_token_that_it_uses(client: Api) -> None:
    (mine,) = client.get("tokens/").json()["results"]
    assert client.delete(f"tokens/{mine['id']}/").status_code == 204
    assert problems(client.get("tokens/"), 401) == {None: "authentication_failed"}


def test_another_person_s_token_is_not_found(client: Api) -> None:
    other, text = tokens.create(UserFactory())
    assert problems(client.delete(f"tokens/{other.short_id}/"), 404) == {None: "not_found"}
    for unknown in ("0" * 24, other.digest[:5], client.get("tokens/").json()["results"][0]["id"][:1]):
        assert problems(client.delete(f"tokens/{unknown}/"), 404) == {None: "not_found"}
    assert _with(text).status_code == 200


def test_a_superuser_s_list_is_her_own(anna: User) -> None:
    tokens.create(anna)
    assert len(api_of(UserFactory(is_superuser=True)).get("tokens/").json()["results"]) == 1


def test_nobody_has_more_tokens_than_anybody_needs(client: Api, anna: User) -> None:
    for _ in range(tokens.MOST - 1):
        tokens.create(anna)
    refused = client.post("tokens/")
    assert problems(refused, 409) == {None: "conflict"}
    assert "Revoke one" in told(refused)


def test_without_a_token_nothing_is_told(client: Api) -> None:
    for response in (Api().get("tokens/"), Api().post("tokens/"), Api().delete(f"tokens/{'0' * 24}/")):
        assert problems(response, 401) == {None: "not_authenticated"}
        assert "Authorization: Bearer" in told(response) and response["WWW-Authenticate"] == "Bearer"
        assert response["WWW-Authenticate"] == "Bearer"


def test_a_token_that_has_ended_says_so(client: Api, anna: User) -> None:
    ended, text = tokens.create(anna)
    ApiToken.objects.filter(pk=ended.pk).update(expiry=timezone.now())
    assert problems(_with(text), 401) == {None: "authentication_failed"}
    assert told(_with(text)) == "This token has ended. Create a new one."


def test_a_token_without_an_end_is_none(anna: User) -> None:
    _token, text = ApiToken.objects.create(user=anna, expiry=None)
    assert told(_with(text)) == "This token has ended. Create a new one."


def test_who_is_shut_out_is_shut_out_at_once(client: Api, anna: User) -> None:
    assert client.get("tokens/").status_code == 200
    anna.is_active = False
    anna.save()
    assert problems(client.get("tokens/"), 401) == {None: "authentication_failed"}
    assert "not active" in told(client.get("tokens/"))


def test_tokens_end_with_the_password_that_they_were_made_under(client: Api, anna: User) -> None:
    anna.set_password("another one")
    anna.save()
    assert problems(client.get("tokens/"), 401) == {None: "authentication_failed"}
    assert not ApiToken.objects.exists()


def test_signing_out_of_the_pages_ends_no_token(client: Api, anna: User) -> None:
    browser = Client()
    browser.force_login(anna)
    browser.logout()
    assert client.get("tokens/").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "header",
    [
        b"Bearer \xff\xfe\xfd",
        "Bearer tökén".encode(),
        b"Bearer convgen_\x00",
        b"Bearer",
        b"Bearer a b",
        b"Bearer " + b"a" * 5_000,
    ],
)
def test_what_is_no_token_is_refused_and_no_error_of_ours(header: bytes) -> None:
    response = Api().get("tokens/", HTTP_AUTHORIZATION=header.decode("latin-1"))
    assert problems(response, 401) == {None: "authentication_failed"}


def test_another_scheme_is_nobody_s(client: Api, anna: User) -> None:
    _token, text = tokens.create(anna)
    assert problems(_with(text, scheme="Basic"), 401) == {None: "not_authenticated"}
    assert _with(text, scheme="bearer").status_code == 200


def test_the_session_of_the_pages_makes_one_if_it_was_their_form(anna: User) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(anna)
    assert problems(browser.post("/api/tokens/"), 403) == {None: "permission_denied"}
    browser.get("/admin/login/")
    answer = browser.post("/api/tokens/", headers={"X-CSRFToken": browser.cookies["csrftoken"].value})
    assert answer.status_code == 201
    assert not answer.json()["current"]


def test_a_request_reads_its_token_alone_however_many_there_are(
    client: Api, anna: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        tokens.create(anna)
    with django_assert_max_num_queries(3):  # the token with its person, the throttle, the list
        assert len(client.get("tokens/").json()["results"]) == 21


def test_the_session_of_the_pages_is_refused_a_workspace_in_the_api_s_own_shape(anna: User) -> None:
    browser = APIClient(headers={"X-Workspace": "not-hers"})
    browser.force_login(anna)
    assert problems(browser.get("/api/dimensions/"), 404) == {None: "not_found"}
    assert browser.get("/api/tokens/").status_code == 200  # which are hers in every workspace

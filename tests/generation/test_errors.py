"""The errors: stable codes, messages that say what to do, and a tree in the docstring that is complete."""

import inspect
import pickle
import re

import pytest

from generation import errors
from generation.errors import GenerationError


def _below(kind: type[GenerationError]) -> list[type[GenerationError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in _below(child))]


ALL = [kind for kind in _below(GenerationError) if kind.__module__ == errors.__name__]
# What the caller should do next; no concrete error, and raised by nobody.
BRANCHES = {
    errors.GenerationError,
    errors.RetryLater,
    errors.ReplyUnusable,
    errors.FixInput,
    errors.FixConfiguration,
    errors.StopEverything,
}
CONCRETE = [kind for kind in ALL if kind not in BRANCHES]


def test_the_code_is_the_name_in_words() -> None:
    assert errors.RateLimited.code() == "rate_limited"
    assert errors.GenerationError.code() == "generation_error"
    assert errors.KeyRefused().code() == "key_refused"


def test_codes_are_distinct_and_fit_their_column() -> None:
    codes = [kind.code() for kind in ALL]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z_]{1,60}", code) for code in codes)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_the_docstring_is_the_default_message(kind: type[GenerationError]) -> None:
    assert str(kind()) == " ".join((kind.__doc__ or "").split()) != ""
    assert str(kind("Something else.")) == "Something else."


# Their message is always given by whoever raises them, who knows more.
SAID_BY_THE_RAISER = {errors.PromptUnresolved, errors.NotClaimable}
IMPERATIVES = r"(Try|Check|Set|Raise|Reword|Shorten|See|raise|lower|then|or|please report)\b.*"


@pytest.mark.parametrize(
    "kind", [kind for kind in CONCRETE if kind not in SAID_BY_THE_RAISER], ids=lambda kind: kind.__name__
)
def test_a_default_message_ends_with_what_to_do(kind: type[GenerationError]) -> None:
    assert re.search(rf"[.;] {IMPERATIVES}\.$", str(kind())), str(kind())


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_each_says_what_to_do_about_those_that_failed_so(kind: type[GenerationError]) -> None:
    assert re.fullmatch(r"[A-Z].+[^.]\.", kind.next_step)
    assert isinstance(kind.worth_retrying, bool)


def test_what_is_amiss_elsewhere_is_worth_retrying_and_what_is_amiss_with_them_is_not() -> None:
    assert errors.Overloaded.worth_retrying and errors.KeyRefused.worth_retrying and errors.Abandoned.worth_retrying
    assert not errors.ReplyRefused.worth_retrying and not errors.PromptUnresolved.worth_retrying


def test_an_error_is_found_by_its_code() -> None:
    assert [errors.by_code(kind.code()) for kind in ALL] == ALL
    assert errors.by_code("of_a_former_version") is GenerationError


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    drawn: list[tuple[str, str]] = []  # (child, parent)
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"^    ([│├└─ ]*)([A-Z]\w+)", line):
            depth = len(found[1]) // 4
            path[depth:] = [found[2]]
            drawn.append((found[2], path[depth - 1] if depth else "Exception"))
    assert sorted(drawn) == sorted((kind.__name__, kind.__bases__[0].__name__) for kind in ALL)


def test_every_error_belongs_to_one_next_step() -> None:
    steps = (errors.RetryLater, errors.FixInput, errors.FixConfiguration, errors.StopEverything)
    for kind in CONCRETE:
        assert sum(issubclass(kind, step) for step in steps) == 1, kind


def test_request_id_and_wait_are_kept() -> None:
    error = errors.Overloaded(request_id="req_1", retry_after=3.0)
    assert (error.request_id, error.retry_after) == ("req_1", 3.0)
    assert errors.KeyRefused().request_id == ""
    assert errors.RateLimited().retry_after is None
    assert errors.ReplyCutOff().retry_after is None


def test_errors_survive_pickling() -> None:
    for kind in CONCRETE:
        again = pickle.loads(pickle.dumps(kind("In words.", request_id="req_1")))
        assert (type(again), str(again), again.request_id) == (kind, "In words.", "req_1")


def test_no_class_is_missing_from_this_test() -> None:
    here = {kind for _name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, GenerationError)}
    assert here == set(ALL)

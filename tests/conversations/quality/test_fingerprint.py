import os
import subprocess
import sys

import pytest

from conversations.quality.fingerprint import BANDS, PERMUTATIONS, bands, signature

TEXT = "An emergency fund is money set aside for the day when the car breaks down or the job is gone."
SIGNED = (-832794314, 1160053309, 1084154223)
KEYS = (-1290195278102857614, -6619508054660790318)


def similarity(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    """The estimate as the database counts it (conversations/similarity.py)."""
    return sum(left == right for left, right in zip(a, b, strict=True)) / len(a) if a and b else 0.0


def overlapping(shared: int, apart: int, variant: int) -> tuple[str, str]:
    """Two texts that have `shared` phrases in common and `apart` phrases each of their own."""
    common = [f"c{variant}x{number}" for number in range(shared + 2)]
    first, second = (" ".join(common + [f"{side}{variant}x{number}" for number in range(apart)]) for side in "ab")
    return first, second


def test_equal_texts_are_fully_similar() -> None:
    assert similarity(signature(TEXT), signature(TEXT)) == 1


def test_case_punctuation_and_line_breaks_make_no_difference() -> None:
    assert signature(TEXT) == signature(TEXT.upper().replace(" ", "\n").replace(".", "?!"))


def test_unrelated_texts_are_not_similar_and_share_no_band() -> None:
    other = "Photosynthesis turns sunlight, water and carbon dioxide into sugar within the leaves of plants."
    assert similarity(signature(TEXT), signature(other)) < 0.1
    assert not set(bands(signature(TEXT))) & set(bands(signature(other)))


@pytest.mark.parametrize(("shared", "apart", "expected"), [(300, 900, 1 / 7), (400, 200, 0.5), (800, 100, 0.8)])
def test_the_estimate_is_close_to_the_true_similarity(shared: int, apart: int, expected: float) -> None:
    pairs = [overlapping(shared, apart, variant) for variant in range(20)]
    mean = sum(similarity(signature(a), signature(b)) for a, b in pairs) / len(pairs)
    assert mean == pytest.approx(expected, abs=0.04)


def test_more_than_nine_in_ten_pairs_with_half_their_phrases_in_common_share_a_band() -> None:
    pairs = [overlapping(200, 100, variant) for variant in range(100)]
    found = sum(bool(set(bands(signature(a))) & set(bands(signature(b)))) for a, b in pairs)
    assert found > 90


@pytest.mark.parametrize("text", ["", "  \n", "…!?"])
def test_a_text_without_words_has_no_signature_no_bands_and_no_likeness(text: str) -> None:
    empty = signature(text)
    assert (empty, bands(empty)) == ((), ())
    assert similarity(empty, empty) == similarity(empty, signature(TEXT)) == 0


@pytest.mark.parametrize("text", ["Yes", "Thank you"])
def test_a_text_shorter_than_a_phrase_is_similar_to_itself_alone(text: str) -> None:
    assert similarity(signature(text), signature(text)) == 1
    assert similarity(signature(text), signature("No")) < 0.1


def test_signatures_fit_integer_and_bands_fit_bigint_columns() -> None:
    signed, keys = signature(TEXT), bands(signature(TEXT))
    assert (len(signed), len(keys)) == (PERMUTATIONS, BANDS)
    assert all(-(2**31) <= value < 2**31 for value in signed)
    assert all(-(2**63) <= key < 2**63 for key in keys)
    assert min(signed) < 0
    assert min(keys) < 0 < max(keys)


def test_equal_rows_in_different_bands_have_different_keys() -> None:
    assert len(set(bands((7,) * PERMUTATIONS))) == BANDS


def test_stored_signatures_stay_comparable_whatever_the_process() -> None:
    """The literal values guard stored rows: a rensa that hashes otherwise must not pass unseen."""
    assert signature(TEXT)[:3] == SIGNED
    assert bands(signature(TEXT))[:2] == KEYS
    script = f"from conversations.quality import bands, signature; print(bands(signature({TEXT!r}))[:2])"
    assert [printed_by(script, hash_seed) for hash_seed in "12"] == [f"{KEYS}\n"] * 2


def printed_by(script: str, hash_seed: str) -> str:
    environment = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

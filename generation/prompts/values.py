"""Values on their way into a prompt: found, judged, written out, made harmless."""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_ZERO = re.compile(r"[+-]?(?:0+(?:\.0*)?|\.0+)(?:[eE][+-]?[0-9]+)?")
_WORDS_FOR_NO = {"", "no", "false"}
_LONGEST_PLAIN_EXPONENT = 20  # beyond 10^20 a number is read more easily as 1e+21

_ANGLES = re.compile(
    r"""
    (?P<comment><(?=!--))
  | (?P<tag><(?=[^\W\d_]|[/!?]|\Z))
  | (?P<comment_end>-->)
  | (?P<arrow>->)
  | (?P<end>>)
    """,
    re.VERBOSE,
)


def find_value(name: str, sources: Sequence[Mapping[str, object]]) -> object | None:
    """Return what the first source that has the name says; None in a source is "not there"."""
    return next((value for source in sources if (value := source.get(name)) is not None), None)


def is_yes(value: object) -> bool:
    """Answer a template's question ``{{name ? … : …}}`` as a curator expects.

    No are: nothing (missing, None), empty or blank text, zero (0, 0.0, "0", "0.00"), False, an empty list,
    and the words "no" and "false" in any case. Everything else is yes.
    """
    if value is None:
        return False
    if isinstance(value, str):
        word = value.strip().lower()
        return word not in _WORDS_FOR_NO and _ZERO.fullmatch(word) is None
    if isinstance(value, int | float | Decimal):
        return bool(value)
    return len(value) > 0 if isinstance(value, Collection) else True


def is_number(value: object) -> bool:
    """Tell whether the value is a finite number, or text that writes one ("40", "-2.5e3"); a bool is not."""
    match value:
        case bool():
            return False
        case int():
            return True
        case float():
            return math.isfinite(value)
        case Decimal():
            return value.is_finite()
        case str():
            return _NUMBER.fullmatch(value.strip()) is not None and math.isfinite(float(value))
    return False


def readable_text(value: object) -> str:
    """Write a value as it should read in a prompt.

    True is "yes", False "no", None nothing; a list is "a, b and c", a mapping the same of "key: value"; a
    float has no trailing noise (3.0 is "3", 0.1 + 0.2 is "0.3"); anything else is its ``str``.
    """
    match value:
        case None:
            return ""
        case str():
            return str(value)
        case bool():
            return "yes" if value else "no"
        case float():
            return _float_text(value)
        case int() | Decimal():
            return _decimal_text(Decimal(value))
        case list() | tuple():
            return _enumeration([readable_text(item) for item in value])
        case Mapping():
            pairs = value.items()
            return _enumeration([f"{readable_text(key)}: {readable_text(item)}" for key, item in pairs])
    return str(value)


def escape_tags(text: str) -> str:
    """Return a value's text with tags and comments disarmed, so that it cannot pose as part of the brief.

    A ``<`` that could open one (before a letter, ``/``, ``!``, ``?``, or at the very end, where the
    template's own text follows) becomes ``&lt;``, and the ``>`` that would close it ``&gt;``. Everything else
    stays: ``a < b``, ``->``, ampersands, quotes. Entities in their place would leak into the training text.
    """
    open_kinds: set[str] = set()

    def escaped(angle: re.Match[str]) -> str:
        match angle.lastgroup:
            case "tag" | "comment" as kind:
                open_kinds.add(kind)
                return "&lt;"
            case "comment_end" if "comment" in open_kinds:
                open_kinds.clear()
                return "--&gt;"
            case "end" if "tag" in open_kinds:
                open_kinds.discard("tag")
                return "&gt;"
        return angle[0]

    return _ANGLES.sub(escaped, text)


def _enumeration(items: list[str]) -> str:
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def _float_text(value: float) -> str:
    if value.is_integer() and abs(value) < 10**_LONGEST_PLAIN_EXPONENT:
        return str(int(value))
    # 15 significant digits are what a double always keeps; the 16th and 17th are the noise.
    text = f"{value:.15g}"
    return _decimal_text(Decimal(repr(value))) if "e" in text else text


def _decimal_text(value: Decimal) -> str:
    readable = not value.is_finite() or abs(value.adjusted()) <= _LONGEST_PLAIN_EXPONENT
    return f"{value:f}" if readable else str(value)

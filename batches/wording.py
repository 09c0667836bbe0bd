"""Costs, times and estimates in words, for terminal and pages alike."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from batches.choices import Delivery
from batches.comparison import Against, Comparison
from convgen.text import counted

SIMULATED = "Simulated: nothing will be paid."
MINUTE, HOUR, DAY = 60, 3_600, 86_400  # seconds


def conversations(number: int) -> str:
    """`1 conversation`, `2 conversations`."""
    return counted(number, "conversation")


def dollars(amount: Any) -> str:
    """$12.30, and $0.0123 below a dollar, since one conversation costs cents."""
    amount = Decimal(str(amount))
    return f"${amount:,.2f}" if amount >= 1 or not amount else f"${amount:.4f}"


def as_written(amount: Decimal) -> str:
    """An amount in USD that somebody has set: with two decimals, or as many as it has."""
    decimals = -int(amount.normalize().as_tuple().exponent)
    return f"${amount:,.{max(2, decimals)}f}"


def duration(seconds: float) -> str:
    """40 s, 12 min, 3 h 20 min, 2 days."""
    if seconds < 1.5 * MINUTE:
        return f"{seconds:.0f} s" if seconds >= 1 else "a second"
    minutes = round(seconds / MINUTE)
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{round(seconds / DAY)} days"


def cost_in_words(foreseen: Mapping[str, Any]) -> str:
    """`about $1.20 ($1.00 to $1.50)`, of what an estimate says for one delivery."""
    usd = foreseen["cost_usd"]
    if not Decimal(usd["high"]):
        return "nothing"
    return f"about {dollars(usd['likely'])} ({dollars(usd['low'])} to {dollars(usd['high'])})"


def time_in_words(foreseen: Mapping[str, Any], delivery: str) -> str:
    """`about 12 min (10 min to 15 min)`."""
    if delivery == Delivery.ECONOMY:
        return "within a day, usually within an hour"
    seconds = foreseen["seconds"]
    if duration(seconds["low"]) == duration(seconds["high"]):
        return f"about {duration(seconds['likely'])}"
    return f"about {duration(seconds['likely'])} ({duration(seconds['low'])} to {duration(seconds['high'])})"


def known_in_words(estimate: Mapping[str, Any]) -> str:
    """How much of it is known from history."""
    share = estimate["known_from_history"]
    if share == 1:
        return "known from earlier replies"
    if share == 0:
        return "reckoned from lengths, since there are no such replies yet"
    return f"{share:.0%} of it known from earlier replies"


def estimate_in_words(estimate: Mapping[str, Any], delivery: str) -> str:
    """An estimate as jobs keep it (`Estimate.as_json`), in one line."""
    foreseen = estimate[delivery]
    cost, time = cost_in_words(foreseen), time_in_words(foreseen, delivery)
    line = f"{cost.capitalize()}, {time}; {known_in_words(estimate)}."
    return f"{line} {SIMULATED}" if estimate["simulated"] else line


def comparison_in_words(compared: Comparison) -> str:
    """What it was foreseen to take, as far as it has come, and how much more or less it took."""
    cost, time = compared.usd, compared.seconds
    if not compared.ended:
        return f"Estimated {dollars(cost.foreseen)} for what has ended so far: it cost {_times(cost)}."
    return (
        f"Estimated {dollars(cost.foreseen)} and {duration(time.foreseen)}: "
        f"it cost {_times(cost)}, and took {_times(time)}."
    )


def _times(figure: Against) -> str:
    if figure.ratio is None:
        return "what was not foreseen" if figure.actual else "as much"
    if 0.995 <= figure.ratio < 1.005:
        return "as much"
    return f"{figure.ratio:.2f} times as much" if figure.ratio < 10 else f"{figure.ratio:.0f} times as much"

"""How the rate limits stand, and who waits for them."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand

from generation.models import RateWaiter
from generation.rate_overview import RateOverview, Use, rate_overviews


class Command(BaseCommand):
    help = (
        "Shows the rate limits of every key that was used: what is used, who waits, and whether Claude asked to wait."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one JSON array, for scripts.")

    def handle(self, **options: Any) -> None:
        overviews = rate_overviews()
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(overview) for overview in overviews]))
        else:
            lines = [line for overview in overviews for line in _in_words(overview)]
            self.stdout.write("\n".join(lines) or "No request was ever sent.")


def _in_words(overview: RateOverview) -> Iterator[str]:
    yield str(overview.state)
    for use in overview.uses:
        yield f"  {use.name:14}{use}{_left(use)}"
    if overview.blocked_for:
        yield f"  Claude asked everybody to wait: {overview.blocked_for:.0f} s more."
    for waiter in overview.waiting:
        yield f"  waits: {_waiter_in_words(overview, waiter)}"
    if not overview.waiting:
        yield "  Nobody waits."


def _left(use: Use) -> str:
    return "" if use.left is None else f", {use.left:,} left"


def _waiter_in_words(overview: RateOverview, waiter: RateWaiter) -> str:
    return (
        f"{waiter.who or 'somebody'}, {waiter.priority} priority, for {overview.waited(waiter):.0f} s, "
        f"next in {overview.turn_in(waiter):.0f} s: {waiter.get_reason_display()}"
    )


def _as_json(overview: RateOverview) -> dict[str, Any]:
    state = overview.state
    return {
        "address": state.address,
        "key": state.key[:6],
        **{use.kind: {"limit": use.limit, "used": use.used, "left": use.left} for use in overview.uses},
        "blocked_seconds": round(overview.blocked_for, 3),
        "granted": state.granted,
        "refused": state.refused,
        "waiting": [
            {
                "who": waiter.who,
                "priority": waiter.priority,
                "wanted": waiter.wanted,
                "reason": waiter.reason,
                "since": waiter.since.isoformat(),
                "until": waiter.until.isoformat(),
            }
            for waiter in overview.waiting
        ],
    }

"""Slow queries are logged: how long they took, on whose behalf, and which statement it was.

Never with their parameters, nor with PostgreSQL's error message: both hold customers' text.
"""

import logging
import re
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings

from convgen.route import current_route

LONGEST = 600  # characters of a statement that are shown, half of them from its end, where the conditions are

logger = logging.getLogger(__name__)


def log_when_slow(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Execute a statement, as a wrapper of Django's cursors does."""
    started = time.perf_counter()
    failure = ""
    try:
        return execute(sql, params, many, context)
    except Exception as error:
        failure = f", {type(error.__cause__ or error).__name__}"
        raise
    finally:
        seconds = time.perf_counter() - started
        if seconds >= settings.SLOW_QUERY_SECONDS:
            logger.warning("%.2f s, %s%s: %s", seconds, current_route(), failure, _shortened(sql))


def _shortened(sql: Any) -> str:
    """On one line. A statement composed by psycopg is not shown: its values are part of it."""
    if not isinstance(sql, str):
        return f"({type(sql).__name__})"
    line = re.sub(r"\s+", " ", sql).strip()
    half = LONGEST // 2
    return line if len(line) <= LONGEST else f"{line[:half]} … {line[-half:]}"

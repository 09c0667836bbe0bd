"""System check of the thresholds of quality."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from conversations.quality.in_force import overridden


@register()
def check_quality_thresholds(**_options: Any) -> list[CheckMessage]:
    _thresholds, problems = overridden(settings.QUALITY_THRESHOLDS)
    return [Error(problem.sentence, hint=problem.hint, id="conversations.E001") for problem in problems]

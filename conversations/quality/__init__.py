"""The quality engine: one conversation in, a score from 0.0 to 10.0 with reasons and advice out."""

from conversations.quality.fingerprint import bands, signature
from conversations.quality.in_force import thresholds_in_force
from conversations.quality.report import Component, Flag, Report
from conversations.quality.rules import RULES, assess
from conversations.quality.sample import Sample, Turn

__all__ = [
    "RULES",
    "Component",
    "Flag",
    "Report",
    "Sample",
    "Turn",
    "assess",
    "bands",
    "signature",
    "thresholds_in_force",
]

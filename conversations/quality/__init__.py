"""The quality engine: one conversation in, a score from 0.0 to 10.0 with reasons and advice out."""

from conversations.quality.fingerprint import bands, signature
from conversations.quality.report import Component, Flag, Report
from conversations.quality.rules import RULES, assess
from conversations.quality.sample import Sample, Turn
from conversations.quality.thresholds import REVIEW_BELOW

__all__ = [
    "REVIEW_BELOW",
    "RULES",
    "Component",
    "Flag",
    "Report",
    "Sample",
    "Turn",
    "assess",
    "bands",
    "signature",
]

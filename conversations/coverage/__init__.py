"""The coverage plan: which personas, emotions and topics each template still needs.

A template has `target_count` places. Those not filled by a live conversation are gaps. A gap is given the
combination that the plan has used least: first the persona, then the emotion rarest beside it, then the topic
rarest with both, so that combinations, pairs and values are covered as evenly as possible. The same data give the
same plan. What is used is read from counts that the database keeps (`conversations/models/coverage.py`).
"""

from conversations.coverage.completion import Completion, PlanCompletion, completion
from conversations.coverage.drafts import fill, fill_gaps, lock_plan, unsaved_drafts
from conversations.coverage.gaps import Gap, PlanTooLarge, gaps
from conversations.coverage.pairs import PairTable, pair_table
from conversations.coverage.standing import PlanStanding, Standing, Used, standing
from conversations.coverage.usage import recount

__all__ = [
    "Completion",
    "Gap",
    "PairTable",
    "PlanCompletion",
    "PlanStanding",
    "PlanTooLarge",
    "Standing",
    "Used",
    "completion",
    "fill",
    "fill_gaps",
    "gaps",
    "lock_plan",
    "pair_table",
    "recount",
    "standing",
    "unsaved_drafts",
]

"""Every system of the paper and of the challenge side by side: trained, scored and ranked on the same stamps."""

from __future__ import annotations

from lensdetect.challenge.committee import COMBINATIONS, combine
from lensdetect.challenge.oracle import oracle_scores
from lensdetect.challenge.plan import CHALLENGE_PLANS, ChallengePlan, get_challenge_plan
from lensdetect.challenge.run import challenge
from lensdetect.challenge.stamp_sets import StampSet
from lensdetect.challenge.systems import Entry, all_names, parse_entry

__all__ = [
    "CHALLENGE_PLANS",
    "COMBINATIONS",
    "ChallengePlan",
    "Entry",
    "StampSet",
    "all_names",
    "challenge",
    "combine",
    "get_challenge_plan",
    "oracle_scores",
    "parse_entry",
]

"""The verdict on a canary: counts of both arms in, bad / good / cannot tell yet with evidence out.

Pure: no AWS, no clock, no files, standard library only. `Judge` is the stable entry for scripts; docs/verdict.md says
what was measured, and why each part is there.
"""

from manuel_release.verdict.counts import Arm, ArmCounts
from manuel_release.verdict.evidence import (
    ArmNumbers,
    Breach,
    Finding,
    Signal,
    Split,
    Totals,
    Value,
    Verdict,
    WorstCase,
)
from manuel_release.verdict.judge import Judge
from manuel_release.verdict.settings import LimitsMode, Routing, Settings

__all__ = [
    "Arm",
    "ArmCounts",
    "ArmNumbers",
    "Breach",
    "Finding",
    "Judge",
    "LimitsMode",
    "Routing",
    "Settings",
    "Signal",
    "Split",
    "Totals",
    "Value",
    "Verdict",
    "WorstCase",
]

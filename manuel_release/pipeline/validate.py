"""Every check of the pipeline, offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.pipeline import builds, handover, permissions, structure

if TYPE_CHECKING:
    from manuel_release.model.pipeline import Delivery, Finding

RULES = (*structure.RULES, *handover.RULES, *builds.RULES, *permissions.RULES)


def validate(delivery: Delivery) -> tuple[Finding, ...]:
    """What AWS would refuse or what cannot work; empty when nothing is wrong."""
    return tuple(finding for rule in RULES for finding in rule(delivery))

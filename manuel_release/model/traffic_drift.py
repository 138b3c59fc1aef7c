"""Whether the traffic is split as the ledger last said it; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from manuel_release.model.canary_run import CanaryRun
    from manuel_release.model.traffic import ApiStage


def traffic_drift(stage: ApiStage, run: CanaryRun | None) -> str:
    """How the stage's canary differs from the ledger's last word, one sentence; empty when it does not.

    Not asked while somebody holds the lease: the stage is changed before the ledger is written. CloudTrail tells who
    moved it: `aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=UpdateStage`.
    """
    canary = stage.canary
    has = (canary.percent, canary.release) if canary is not None and canary.percent else None
    should = (run.percent, run.release) if run is not None and run.percent else None
    if has == should or stage.pinned is not None:
        return ""
    if has is None and run is not None and stage.current == run.release:
        return ""  # the last act of a rollout, which `canary promote` finishes
    when = f" at {stage.updated_at:%Y-%m-%d %H:%M:%S} UTC" if stage.updated_at is not None else ""
    found = "the stage has no canary" if has is None else f"the stage gives {has[1] or 'no release'} {has[0]:g} %"
    if should is None:
        said = "by the ledger there is no canary" if run is None else f"by the ledger the canary of {run.release} ended"
    else:
        last = run.last if run is not None else None
        by = f" ({last.by}, {last.at:%Y-%m-%d %H:%M:%S} UTC)" if last is not None else ""
        said = f"by the ledger {should[1]} has {should[0]:g} %{by}"
    return f"{found}, and {said}: somebody else moved the traffic; the stage was last changed{when}"

"""Manual approval: waits for PutApprovalResult, or until its time is over, and fails then.

A minute of the timeout takes MANUEL_APPROVAL_SECONDS_PER_MINUTE seconds (60 unless a rehearsal says otherwise). What
AWS says of an approval that timed out is not documented; here the error's message says it.
https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals.html
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from manuel_release.rehearsal.emulator.codepipeline import notices
from manuel_release.rehearsal.emulator.codepipeline.job import ActionFailed, Outcome

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.codepipeline.job import Job

SECONDS_PER_MINUTE = float(os.environ.get("MANUEL_APPROVAL_SECONDS_PER_MINUTE", "60"))
DEFAULT_MINUTES = 7 * 24 * 60


def run(job: Job) -> Outcome:
    """Publish that somebody is needed, and wait for the answer."""
    run_ = job.run
    topic = job.setting("NotificationArn")
    if topic:
        job.actor.require("sns:Publish", topic)
        why = notices.approval_needed(run_, topic)
        if why:
            raise ActionFailed(f"The notification could not be published: {why}", code="ConfigurationError")
    answered = job.wait_for(lambda: run_.answer is not None, (run_.expires or 0) - time.time())
    if not answered or run_.answer is None:
        minutes = run_.action.get("timeoutInMinutes", DEFAULT_MINUTES)
        raise ActionFailed(f"The approval timed out: nobody answered within {minutes} minutes")
    summary = str(run_.answer.get("summary") or "")
    if run_.answer["status"] != "Approved":
        raise ActionFailed(summary or "The approval was rejected", summary=summary)
    return Outcome(summary=summary)

"""Whether somebody may decide at a gate, and whether what was decided still holds; pure.

What is approved is a package, named by the SHA-256 of its canonical JSON: sorted keys, no spaces, UTF-8 (RFC 8785
without its rules for numbers; a package has integers and short decimals only). When anything in it moves, the hash
moves, and the approval is void.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from manuel_release.model.approval import GATES, Choice, Decision, Gate, Package, PendingApproval
from manuel_release.model.pipeline import ExecutionStatus
from manuel_release.model.plan import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from manuel_release.model.entry import Entry
    from manuel_release.model.people import People
    from manuel_release.model.pipeline import ActionRun, PipelineState

REQUESTED, APPROVED, REJECTED, EXTENDED = "requested", "approved", "rejected", "extended"
LIST_HINT = "`manuel-release approval list` shows what waits, and for whom."


def canonical(package: Package) -> bytes:
    """The package as the bytes that are hashed and stored."""
    return json.dumps(asdict(package), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def package_hash(package: Package) -> str:
    """SHA-256 of the canonical package, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(package)).hexdigest()


def read(text: bytes) -> Package:
    """The package of `canonical`; raises ValueError when it is none."""
    data = json.loads(text)
    if not isinstance(data, dict):
        raise ValueError("a package is a JSON object")  # noqa: TRY004 - wrong content, not a wrong type
    try:
        return Package(**data)
    except TypeError as error:
        raise ValueError(f"it is no package: {error}") from error


def pending(state: PipelineState) -> tuple[PendingApproval, ...]:
    """Every approval of our gates that waits now."""
    found: list[PendingApproval] = []
    for gate in GATES.values():
        stage = state.stage(gate.stage)
        actions = {one.name: one for one in stage.actions} if stage is not None else {}
        for role, name in gate.actions.items():
            action = actions.get(name)
            if stage is not None and action is not None and action.waits:
                found.append(PendingApproval(gate, role, name, stage.execution_id, action.token, action.changed_at))
    return tuple(found)


def decisions(entries: Iterable[Entry], gate: str, execution_id: str) -> tuple[Decision, ...]:
    """What the ledger knows of a gate in an execution, oldest first."""
    found = (
        Decision(
            gate=str(entry.details.get("gate", "")),
            decision=str(entry.details.get("decision", "")),
            role=str(entry.details.get("role", "")),
            package_hash=str(entry.details.get("package_hash", "")),
            choice=str(entry.details.get("choice", "")),
            execution_id=str(entry.details.get("execution_id", "")),
            by=str(entry.details.get("principal", entry.by)),
            at=entry.at,
        )
        for entry in entries
        if entry.kind == "approval"
    )
    return tuple(one for one in found if (one.gate, one.execution_id) == (gate, execution_id))


def author_may_not(approver: str, author: str, people: People) -> Refusal | None:
    """Nobody approves their own change, and an author whom the settings do not know could be anybody."""
    email = author.lower()
    if email not in people.authors:
        return Refusal(
            f"nobody knows which principal is {author or 'the author of this commit'}: the settings do not map it",
            "Add the e-mail to [people.authors] of the settings, and run `manuel-release bootstrap`.",
        )
    if fnmatchcase(approver, people.authors[email]):
        return Refusal(f"{approver} wrote this change and may not approve it", "Ask somebody else who has the role.")
    return None


def decide(
    approver: str,
    role: str,
    people: People,
    package: Package,
    gate: Gate,
    *,
    shown: str,
    choice: Choice = Choice.PROCEED,
) -> Refusal | None:
    """Whether an approval is taken; None when it is.

    Args:
        approver: ARN of the principal.
        role: in which it decides.
        people: who has which role.
        package: what waits for a decision now.
        gate: where.
        shown: the hash of what the approver looked at.
        choice: what is decided.
    """
    if role not in gate.actions:
        known = ", ".join(gate.actions)
        return Refusal(f"the gate {gate.name} does not ask {role}; it asks {known}", LIST_HINT)
    if not people.has(role, approver):
        return Refusal(
            f"{approver} does not have the role {role}",
            f"Somebody whom [people] {role} of the settings names has to decide.",
        )
    if choice not in gate.choices:
        return Refusal(
            f"{choice} cannot be chosen at the gate {gate.name}",
            f"Choose {', '.join(gate.choices)}, or reject.",
        )
    if shown != package_hash(package):
        return Refusal(
            "what waits is not what was shown: something in the package has changed since",
            f"Look again with `manuel-release approval show --gate {gate.name}`.",
        )
    return author_may_not(approver, package.author, people)


def check(
    gate: Gate,
    package: Package,
    runs: Sequence[ActionRun],
    known: Sequence[Decision],
    people: People,
    *,
    code_digest: str,
) -> Refusal | None:
    """Whether the next action may go on; None when every role approved what is about to be released.

    Args:
        gate: the gate before it.
        package: as it is stored now.
        runs: of the same execution, of every action.
        known: what the ledger knows of the gate in this execution, oldest first.
        people: who has which role.
        code_digest: of the build that is about to be released.
    """
    hint = "Start the pipeline again: a gate that was passed is not asked twice in one execution."
    requests = [one for one in known if one.decision == REQUESTED]
    if not requests or requests[-1].package_hash != package_hash(package):
        return Refusal(f"the package of the gate {gate.name} is not the one that people were asked about", hint)
    if package.code_digest != code_digest:
        return Refusal(f"people approved the build {package.code_digest[:12]}, and this is {code_digest[:12]}", hint)
    approvers: set[str] = set()
    for role, action in gate.actions.items():
        refusal = _approved(
            gate, role, action, package=package, request=requests[-1], runs=runs, known=known, people=people
        )
        if refusal is not None:
            return refusal
        approvers.add(_last(gate, action, runs).by)
    if len(approvers) < len(gate.actions):
        return Refusal(
            f"{', '.join(approvers)} decided in every role of the gate {gate.name}; it takes two people", hint
        )
    return None


def _last(gate: Gate, action: str, runs: Sequence[ActionRun]) -> ActionRun:
    return [one for one in runs if (one.stage, one.action) == (gate.stage, action)][-1]


def _approved(
    gate: Gate,
    role: str,
    action: str,
    *,
    package: Package,
    request: Decision,
    runs: Sequence[ActionRun],
    known: Sequence[Decision],
    people: People,
) -> Refusal | None:
    hint = "Start the pipeline again, and have the right people decide."
    found = [one for one in runs if (one.stage, one.action) == (gate.stage, action)]
    if not found or found[-1].status is not ExecutionStatus.SUCCEEDED:
        return Refusal(f"{gate.stage}/{action} is not approved", LIST_HINT)
    run = found[-1]
    if not people.has(role, run.by):
        return Refusal(f"{run.by or 'nobody known'} approved {gate.stage}/{action} without the role {role}", hint)
    if run.changed_at < request.at:
        return Refusal(f"{gate.stage}/{action} was approved before the package was put together", hint)
    own = [one for one in known if one.role == role and one.decision in {APPROVED, REJECTED}]
    if own and own[-1].decision == REJECTED:
        return Refusal(f"{own[-1].by} rejected {gate.stage}/{action}", hint)
    if own and own[-1].package_hash != request.package_hash:
        return Refusal(f"{own[-1].by} approved another package at {gate.stage}/{action}", hint)
    return author_may_not(run.by, package.author, people)


def percent(gate: Gate, runs: Sequence[ActionRun], known: Sequence[Decision], asked: float) -> float:
    """The share (0-100) that the next step gives: 100 when the gate chose `full`, else what was asked for.

    Only the choice of whom CodePipeline names counts: what somebody wrote down whose approval was not taken does not.

    Args:
        gate: that was passed, as `check` says.
        runs: of the same execution, of every action.
        known: what the ledger knows of the gate in this execution, oldest first.
        asked: what the step gives otherwise.
    """
    last = {role: _last(gate, action, runs).by for role, action in gate.actions.items()}
    approved = [one for one in known if one.decision == APPROVED and one.by == last.get(one.role)]
    return 100.0 if approved and approved[-1].choice == Choice.FULL else asked

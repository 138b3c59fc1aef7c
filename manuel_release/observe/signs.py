"""How far a release has come, as AWS shows it to somebody who only watches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.observe import service as parts

if TYPE_CHECKING:
    from manuel_release.aws import Aws


def observe_signs(aws: Aws, stack: str, release: str) -> tuple[str, ...]:
    """Sentences about what a release's steps have left in AWS so far; none before its stack has settled."""
    service = parts.observe_service(aws, stack)
    if service is None or service.stack.busy:
        return ()
    published = len(parts.observe_versions(aws, service, release))
    deploying = parts.observe_deploying(aws, service)
    stage = parts.observe_stage(aws, service)
    signs = [f"{release} is published on {published} of {len(service.functions)} functions"] if published else []
    signs += [f"CodeDeploy moves `live` to another version: {one}" for one in deploying]
    if stage is not None and stage.current == release:
        signs.append(f"the API's stage says current={release}")
    return tuple(signs)

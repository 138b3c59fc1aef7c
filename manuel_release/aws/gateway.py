"""API Gateway (REST): the stage that every request comes through.

Which patch operations are legal: https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html#UpdateStage-Patch
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from manuel_release.aws.errors import translated
from manuel_release.model.traffic import ApiStage, Canary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_apigateway.type_defs import PatchOperationTypeDef, StageResponseTypeDef

    from manuel_release.aws.session import Session

RELEASE_VARIABLE = "release"
_CONFLICT_PAUSES_SECONDS = (0.3, 0.6, 1.2, 2.4)


class Gateway:
    """Reads and changes stages of REST APIs."""

    def __init__(self, session: Session, sleep: Callable[[float], None] = time.sleep) -> None:
        self._session = session
        self._sleep = sleep

    @property
    def _client(self) -> APIGatewayClient:
        return self._session.client("apigateway")

    def stage(self, rest_api_id: str, stage: str) -> ApiStage | None:
        """The stage; None when it, or the API, does not exist."""
        with translated(f"cannot read stage {stage} of API {rest_api_id}"):
            try:
                return _stage(rest_api_id, self._client.get_stage(restApiId=rest_api_id, stageName=stage))
            except self._client.exceptions.NotFoundException:
                return None

    def name(self, rest_api_id: str) -> str:
        """The API's name: what its metrics go by."""
        with translated(f"cannot read API {rest_api_id}"):
            return str(self._client.get_rest_api(restApiId=rest_api_id)["name"])

    def write_variables(self, rest_api_id: str, stage: str, variables: Mapping[str, str]) -> ApiStage:
        """Set stage variables in one UpdateStage, all of them or none; returns the stage as it is then.

        Names are letters, digits and underscores; values also contain space and `- . : / ? & = ,`.
        """
        return self._update(
            rest_api_id,
            stage,
            [{"op": "replace", "path": f"/variables/{name}", "value": value} for name, value in variables.items()],
        )

    def _update(self, rest_api_id: str, stage: str, operations: Sequence[PatchOperationTypeDef]) -> ApiStage:
        """One UpdateStage, again after a conflict: API Gateway refuses two changes of an API at the same time."""
        pauses = iter(_CONFLICT_PAUSES_SECONDS)
        with translated(f"cannot change stage {stage} of API {rest_api_id}"):
            while True:
                try:
                    return _stage(
                        rest_api_id,
                        self._client.update_stage(restApiId=rest_api_id, stageName=stage, patchOperations=operations),
                    )
                except self._client.exceptions.ConflictException:
                    pause = next(pauses, None)
                    if pause is None:
                        raise
                    self._sleep(pause)


def _stage(rest_api_id: str, found: StageResponseTypeDef) -> ApiStage:
    settings = found.get("canarySettings")
    canary = None
    if settings:
        overrides = settings.get("stageVariableOverrides") or {}
        canary = Canary(percent=float(settings.get("percentTraffic", 0.0)), release=overrides.get(RELEASE_VARIABLE))
    return ApiStage(
        rest_api_id=rest_api_id,
        name=found["stageName"],
        deployment_id=found.get("deploymentId", ""),
        variables=dict(found.get("variables") or {}),
        canary=canary,
        updated_at=found.get("lastUpdatedDate"),
        access_log=_group((found.get("accessLogSettings") or {}).get("destinationArn", "")),
    )


def _group(arn: str) -> str:
    """The log group in `arn:aws:logs:REGION:ACCOUNT:log-group:NAME`; empty for a Firehose stream."""
    _, found, name = arn.partition(":log-group:")
    return name.removesuffix(":*") if found else ""

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
            _replace({f"/variables/{name}": value for name, value in variables.items()}),
        )

    def shift(
        self,
        rest_api_id: str,
        stage: str,
        *,
        variables: Mapping[str, str] | None = None,
        percent: float | None = None,
        release: str | None = None,
        at_once: bool = False,
    ) -> ApiStage:
        """Move traffic in one UpdateStage; returns the stage as it is then. A canary begins to exist if there is none.

        Args:
            rest_api_id: the API.
            stage: its stage.
            variables: base variables to set.
            percent: the canary's share, 0-100; None leaves it.
            release: what the canary's override names; None leaves it.
            at_once: the override stands before the percentage, which is what a new canary needs; without it the
                percentage comes first, so that a canary that is taken back loses its traffic first.
        """
        base = _replace({f"/variables/{name}": value for name, value in (variables or {}).items()})
        share = _replace({"/canarySettings/percentTraffic": f"{percent:g}"} if percent is not None else {})
        override = _replace(
            {f"/canarySettings/stageVariableOverrides/{RELEASE_VARIABLE}": release} if release is not None else {}
        )
        canary = [*override, *share] if at_once else [*share, *override]
        return self._update(rest_api_id, stage, [*base, *canary])

    def remove_canary(self, rest_api_id: str, stage: str) -> ApiStage:
        """Remove the stage's canary settings, and with them its share of the traffic; harmless when there are none."""
        there = self.stage(rest_api_id, stage)
        if there is not None and there.canary is None:
            return there
        return self._update(rest_api_id, stage, [{"op": "remove", "path": "/canarySettings"}])

    def use_deployment(self, rest_api_id: str, stage: str, deployment_id: str) -> ApiStage:
        """Have the stage serve another deployment of the API's definition; not while it has a canary."""
        return self._update(rest_api_id, stage, _replace({"/deploymentId": deployment_id}))

    def flush_cache(self, rest_api_id: str, stage: str) -> None:
        """Forget the stage's stored responses."""
        with translated(f"cannot flush the cache of stage {stage} of API {rest_api_id}"):
            self._client.flush_stage_cache(restApiId=rest_api_id, stageName=stage)

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


def _replace(values: Mapping[str, str]) -> list[PatchOperationTypeDef]:
    return [{"op": "replace", "path": path, "value": value} for path, value in values.items()]


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

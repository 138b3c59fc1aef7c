"""The one call that gives the traffic back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from manuel_release.aws import Aws
    from manuel_release.model.location import Location
    from manuel_release.model.traffic import ApiStage


def restore_traffic(aws: Aws, location: Location, to: str, before: ApiStage | None) -> ApiStage:
    """Have every request of the API answered by `to`, in one UpdateStage; the stage as it is then.

    A canary gets 0 %, and its override names the same release: whoever raises its share afterwards gives nothing to the
    bad one. `before` is the stage as it was read; None when it was not, and then the canary is written in any case (one
    with 0 % of the same release does nothing). Raises ReleaseError.
    """
    variables = {"release": to}
    if before is not None and before.canary is None:
        return aws.gateway.shift(location.rest_api_id, location.api_stage, variables=variables)
    return aws.gateway.shift(location.rest_api_id, location.api_stage, variables=variables, percent=0.0, release=to)

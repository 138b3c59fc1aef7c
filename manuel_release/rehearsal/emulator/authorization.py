"""With `AUTH=true`: the resource that AWS checks, where ministack checks `*` because the request does not name it.

And the tags of user pools, by which a policy can tell environments apart. A policy as narrow as AWS allows would be
refused here otherwise.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html,
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html,
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html and
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncognitouserpools.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ministack.core import iam_actions
from ministack.services import cloudformation, cognito

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUIRES = {
    "ministack.core.iam_actions.extract_resource_arn": (
        "service",
        "method",
        "path",
        "headers",
        "body",
        "query_params",
        "region",
        "account_id",
    ),
    "ministack.core.iam_actions.request_tag_context": ("service", "iam_action", "body", "params"),
    "ministack.services.cloudformation._change_sets": None,
    "ministack.services.cognito._user_pools": None,
}
UNKNOWN = "*"


def install() -> None:
    """Ask here where ministack does not know."""
    known = iam_actions.extract_resource_arn

    def extract_resource_arn(  # noqa: PLR0917 - ministack's signature
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        region: str,
        account_id: str,
    ) -> str:
        found: str = known(service, method, path, headers, body, query_params, region, account_id)
        if found != UNKNOWN:
            return found
        if service == "cloudformation":
            return _stack_of(_one(query_params, "ChangeSetName"))
        if service == "iam":
            return _one(query_params, "PolicySourceArn") or UNKNOWN
        if service == "monitoring":
            return _alarms(headers, body, query_params, f"arn:aws:cloudwatch:{region}:{account_id}:alarm:")
        return found

    context = iam_actions.request_tag_context

    def request_tag_context(service: str, iam_action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        of_pool = _pool_tags(body) if service in {"cognito-idp", "cognito_idp"} else {}
        return {**context(service, iam_action, body, params), **of_pool}

    iam_actions.extract_resource_arn = extract_resource_arn
    iam_actions.request_tag_context = request_tag_context


def _pool_tags(body: bytes) -> dict[str, str]:
    """`aws:ResourceTag/<key>` of the user pool that a request names, `aws:RequestTag/<key>` of one that it makes."""
    try:
        asked = json.loads(body or b"{}")
        pool = cognito._user_pools.get(asked.get("UserPoolId")) or {}
        given = asked.get("UserPoolTags") or {}
    except (ValueError, AttributeError):
        return {}
    there = pool.get("UserPoolTags") or {}
    return {
        **{f"aws:ResourceTag/{key}".lower(): str(value) for key, value in there.items()},
        **{f"aws:RequestTag/{key}".lower(): str(value) for key, value in given.items()},
    }


def _one(query: Mapping[str, Any], name: str) -> str:
    found = query.get(name, "")
    return str(found[0] if isinstance(found, list) else found)


def _stack_of(change_set: str) -> str:
    """The ARN of the stack that a change set is for, which is what a policy names."""
    found = cloudformation._change_sets.get(change_set)
    return str(found["StackId"]) if found is not None else UNKNOWN


def _alarms(headers: Mapping[str, str], body: bytes, query: Mapping[str, Any], prefix: str) -> str:
    """The alarm that is named, or all of the account's; `*` for metrics, which have no ARNs."""
    action = headers.get("x-amz-target", "").rpartition(".")[2] or _one(query, "Action")
    if action not in {"DescribeAlarms", "DeleteAlarms", "DescribeAlarmHistory"}:
        return UNKNOWN
    try:
        named = json.loads(body or b"{}").get("AlarmNames") or []
    except (ValueError, AttributeError):
        named = [value for key, value in query.items() if key.startswith("AlarmNames.")]
    return prefix + (str(named[0]) if action == "DeleteAlarms" and named else UNKNOWN)

"""AWS::ApiGateway::RestApi: a changed OpenAPI body overwrites the API in place, and a body is read whole.

On AWS, CloudFormation applies a changed Body with PutRestApi in mode `overwrite`: the API keeps its id and so its URL,
its stages keep their deployment, variables and canary, and the new definition is live with the next deployment. Besides
what ministack reads of a body: the integration's credentials, parameters, templates, cache key, time-out and responses,
method parameters and responses, x-amazon-apigateway-any-method, gateway responses and binary media types (API Gateway
developer guide, "OpenAPI extensions"). Models and request validators of a body are not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import apigateway_v1
from ministack.services.cloudformation import provisioners

if TYPE_CHECKING:
    from collections.abc import Callable

REQUIRES = {
    "ministack.services.apigateway_v1._rest_apis": None,
    "ministack.services.apigateway_v1._resources": None,
    "ministack.services.apigateway_v1._authorizers_v1": None,
    "ministack.services.apigateway_v1._gateway_responses": None,
    "ministack.services.apigateway_v1._import_rest_api": ("spec", "base_data"),
    "ministack.services.apigateway_v1._import_path_item": (
        "api_id",
        "path",
        "path_item",
        "scheme_map",
        "default_security",
    ),
    "ministack.services.apigateway_v1._import_operation": (
        "api_id",
        "resource_id",
        "http_method",
        "operation",
        "scheme_map",
        "default_security",
    ),
    "ministack.services.apigateway_v1._import_security_schemes": ("api_id", "spec"),
    "ministack.services.apigateway_v1._method_security": ("security", "scheme_map"),
    "ministack.services.apigateway_v1._put_method": ("api_id", "resource_id", "http_method", "data"),
    "ministack.services.apigateway_v1._put_method_response": (
        "api_id",
        "resource_id",
        "http_method",
        "status_code",
        "data",
    ),
    "ministack.services.apigateway_v1._put_integration": ("api_id", "resource_id", "http_method", "data"),
    "ministack.services.apigateway_v1._put_integration_response": (
        "api_id",
        "resource_id",
        "http_method",
        "status_code",
        "data",
    ),
    "ministack.services.apigateway_v1._put_gateway_response": ("api_id", "response_type", "data"),
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS": None,
    "ministack.services.cloudformation.provisioners._apigw_rest_api_update": (
        "physical_id",
        "old_props",
        "new_props",
        "stack_name",
        "logical_id",
    ),
}

Spec = dict[str, Any]

_LOCATIONS = {"path": "path", "query": "querystring", "header": "header"}


def _method_parameters(operation: Spec) -> dict[str, bool]:
    """`method.request.<where>.<name>` -> whether it is required, from the operation's parameters."""
    return {
        f"method.request.{_LOCATIONS[parameter['in']]}.{parameter['name']}": bool(parameter.get("required", False))
        for parameter in operation.get("parameters") or []
        if parameter.get("in") in _LOCATIONS
    }


def _integration(extension: Spec) -> Spec:
    """The extension x-amazon-apigateway-integration as PutIntegration takes it."""
    given = {
        "type": str(extension.get("type", "")).upper(),
        "httpMethod": extension.get("httpMethod"),
        "uri": extension.get("uri"),
        "credentials": extension.get("credentials"),
        "connectionType": extension.get("connectionType"),
        "requestParameters": extension.get("requestParameters"),
        "requestTemplates": extension.get("requestTemplates"),
        "passthroughBehavior": str(extension.get("passthroughBehavior") or "when_no_match").upper(),
        "timeoutInMillis": extension.get("timeoutInMillis"),
        "cacheKeyParameters": extension.get("cacheKeyParameters"),
        "contentHandling": extension.get("contentHandling"),
    }
    return {key: value for key, value in given.items() if value is not None}


def import_operation(  # noqa: PLR0917 - ministack calls it
    api_id: str,
    resource_id: str,
    http_method: str,
    operation: Spec | None,
    scheme_map: Spec | None = None,
    default_security: Any = None,
) -> None:
    """Put a method with everything that its OpenAPI operation says about it."""
    operation = operation or {}
    security = operation.get("security", default_security)
    method = apigateway_v1._method_security(security, scheme_map or {})
    method["requestParameters"] = _method_parameters(operation)
    apigateway_v1._put_method(api_id, resource_id, http_method, method)
    for status, response in (operation.get("responses") or {}).items():
        headers = (response or {}).get("headers") or {}
        parameters = {f"method.response.header.{name}": False for name in headers}
        apigateway_v1._put_method_response(
            api_id, resource_id, http_method, str(status), {"responseParameters": parameters}
        )
    extension = operation.get("x-amazon-apigateway-integration")
    if not extension:
        return
    apigateway_v1._put_integration(api_id, resource_id, http_method, _integration(extension))
    for pattern, response in (extension.get("responses") or {}).items():
        apigateway_v1._put_integration_response(
            api_id,
            resource_id,
            http_method,
            str(response.get("statusCode", "200")),
            {
                "selectionPattern": "" if pattern == "default" else str(pattern),
                "responseParameters": response.get("responseParameters") or {},
                "responseTemplates": response.get("responseTemplates") or {},
                "contentHandling": response.get("contentHandling"),
            },
        )


def _importing_path(original: Callable[..., None]) -> Callable[..., None]:
    def import_path_item(
        api_id: str, path: str, path_item: Spec, scheme_map: Spec | None = None, default_security: Any = None
    ) -> None:
        original(api_id, path, path_item, scheme_map, default_security)
        operation = path_item.get("x-amazon-apigateway-any-method")
        if operation is not None:
            whole = "/" + path.strip("/")
            resources = apigateway_v1._resources[api_id].values()
            resource_id = next(resource["id"] for resource in resources if resource["path"] == whole)
            import_operation(api_id, resource_id, "ANY", operation, scheme_map, default_security)

    return import_path_item


def _import_extras(api_id: str, spec: Spec) -> None:
    """The members of a body that belong to the API as a whole."""
    if "x-amazon-apigateway-binary-media-types" in spec:
        apigateway_v1._rest_apis[api_id]["binaryMediaTypes"] = spec["x-amazon-apigateway-binary-media-types"]
    for kind, response in (spec.get("x-amazon-apigateway-gateway-responses") or {}).items():
        status = response.get("statusCode")
        apigateway_v1._put_gateway_response(
            api_id,
            kind,
            {
                "statusCode": None if status is None else str(status),
                "responseParameters": response.get("responseParameters"),
                "responseTemplates": response.get("responseTemplates"),
            },
        )


def _importing(original: Callable[..., str]) -> Callable[..., str]:
    def import_rest_api(spec: Spec, base_data: Spec | None = None) -> str:
        api_id = original(spec, base_data)
        _import_extras(api_id, spec)
        return api_id

    return import_rest_api


def overwrite(api_id: str, spec: Spec) -> None:
    """Replace resources, authorizers and gateway responses as PutRestApi does; keep the id, the root and the stages."""
    root = next(resource for resource in apigateway_v1._resources[api_id].values() if resource["path"] == "/")
    apigateway_v1._resources[api_id] = {root["id"]: {**root, "resourceMethods": {}}}
    apigateway_v1._authorizers_v1[api_id] = {}
    apigateway_v1._gateway_responses[api_id] = {}
    schemes = apigateway_v1._import_security_schemes(api_id, spec)
    for path, path_item in (spec.get("paths") or {}).items():
        apigateway_v1._import_path_item(api_id, path, path_item, schemes, spec.get("security"))
    _import_extras(api_id, spec)


def _updating(original: Callable[..., tuple[str, Spec]]) -> Callable[..., tuple[str, Spec]]:
    def update(
        physical_id: str, old_props: Spec, new_props: Spec, stack_name: str, logical_id: str | None = None
    ) -> tuple[str, Spec]:
        body = new_props.get("Body")
        if isinstance(body, dict) and body != old_props.get("Body"):
            overwrite(physical_id, body)
            title = (body.get("info") or {}).get("title")
            if title and not new_props.get("Name"):
                apigateway_v1._rest_apis[physical_id]["name"] = str(title)
        # the rest of the properties, as if the body had always been the new one
        return original(physical_id, {**old_props, "Body": body}, new_props, stack_name, logical_id)

    return update


def install() -> None:
    """Read bodies whole, and update the resource type in place."""
    apigateway_v1._import_operation = import_operation
    apigateway_v1._import_path_item = _importing_path(apigateway_v1._import_path_item)
    apigateway_v1._import_rest_api = _importing(apigateway_v1._import_rest_api)
    update = _updating(provisioners._apigw_rest_api_update)
    provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::RestApi"]["update"] = update

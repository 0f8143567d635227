"""OpenAPI 3.1 from the route table."""

import re
from typing import Any

from pydantic.json_schema import models_json_schema

import madoguchi
from madoguchi.http.table import Nothing, Operation

_PARAMETER = re.compile(r"{(\w+)(?::[^}]*)?}")


def document(operations: list[Operation], server: str) -> dict[str, Any]:
    """Return the OpenAPI document of some operations."""
    bodies = sorted(
        {o.body for o in operations if o.body is not Nothing}, key=lambda model: model.__name__
    )
    _, schemas = models_json_schema(
        [(model, "validation") for model in bodies], ref_template=_REFERENCE
    )
    for query in {one.query for one in operations if one.query is not None}:
        parts = query.model_json_schema(ref_template=_REFERENCE).get("$defs", {})
        schemas.setdefault("$defs", {}).update(parts)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = _PARAMETER.sub(r"{\1}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation, path)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Madoguchi",
            "version": madoguchi.__version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": {**schemas.get("$defs", {}), "Problem": _PROBLEM},
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "madoguchi_session"},
                "visitor": {"type": "http", "scheme": "bearer"},
            },
        },
    }


_REFERENCE = "#/components/schemas/{model}"

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
}


def _operation(operation: Operation, path: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": _name(operation.method, path),
        "summary": operation.summary,
        "tags": list(operation.tags),
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in _PARAMETER.findall(path)
        ],
        "responses": {
            str(operation.status): {
                "description": "done",
                **({} if operation.status == 204 else _json(operation.answer)),
            },
            "default": {
                "description": "what happened, where, what to do",
                "content": {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                },
            },
        },
        "security": _security(operation),
    }
    if operation.query is not None:
        schema = operation.query.model_json_schema(ref_template=_REFERENCE)
        found["parameters"] += [
            {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", []),
                "schema": {k: v for k, v in field.items() if k != "title"},
            }
            for name, field in schema["properties"].items()
        ]
    if operation.body is not Nothing:
        reference = {"$ref": f"#/components/schemas/{operation.body.__name__}"}
        found["requestBody"] = {"required": True, **_json(reference)}
    if operation.upload:
        found["requestBody"] = {"required": True, "content": {"multipart/form-data": _UPLOAD}}
    return found


_UPLOAD = {
    "schema": {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
    }
}


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    scheme = operation.security or ("" if operation.public else "session")
    return [{scheme: []}] if scheme else []


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _name(method: str, path: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", path.removeprefix("/api/v1").lower()).strip("_")
    return f"{method.lower()}_{words}"

"""JSON Schema of the sockets' events, served at /api/v1/events.json."""

from typing import Any

_ID = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}
_POS = {"type": "integer", "minimum": 0}


def _object(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": sorted(required),
    }


EVENT = _object(
    {
        "pos": _POS,
        "prev": _POS,
        "type": {"type": "string"},
        "entity": {
            "enum": [
                "conversation",
                "message",
                "item",
                "offer",
                "agent",
                "customer",
                "draft",
                "config",
                "preferences",
                "call",
            ]
        },
        "id": _ID,
        "version": {"type": "integer"},
        "view": {"type": ["object", "null"]},
        "at": _TIME,
    }
)
HEARTBEAT = _object({"pos": _POS, "now": _TIME})
_VIEWER = _object({"id": _ID, "name": {"type": "string"}, "writing": {"type": "boolean"}})
TYPING = _object(
    {"conversation": _ID, "who": _ID, "name": {"type": "string"}, "on": {"type": "boolean"}}
)
_LEVEL = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
_SECONDS = {"type": ["number", "null"], "minimum": 0}
_NUMBER = {"type": "integer", "minimum": 0}
_COUNTS: dict[str, Any] = {
    "waiting": _NUMBER,
    "oldest_at": {"type": ["string", "null"], "format": "date-time"},
    "answered": {"type": "integer", "minimum": 0},
    "in_time": {"type": "integer", "minimum": 0},
    "abandoned": {"type": "integer", "minimum": 0},
    "service_level": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "speed_of_answer_s": _SECONDS,
    "handled": _NUMBER,
    "handling_s": _SECONDS,
}
_SIGNS = ("available", "busy", "wrap_up", "away", "missed", "lost")
_STAFF: dict[str, Any] = {
    "agents": _object(dict.fromkeys(_SIGNS, _NUMBER)),
    "occupancy": _LEVEL,
}
_ALERT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": _ID,
        "queue": {"type": "string"},
        "when": {
            "enum": ["waiting", "longest_wait", "expected_wait", "service_level", "abandoned"]
        },
        "over": {"type": "number"},
        "under": {"type": "number"},
        "reached": {"type": "number"},
        "began_at": _TIME,
    },
    "required": ["id", "queue", "when", "reached", "began_at"],
}
_AGENT_DAY = _object(
    {
        "agent": _ID,
        "occupancy": _LEVEL,
        **dict.fromkeys(("answered", "declined", "missed", "handled"), _NUMBER),
        "handling_s": _SECONDS,
        "load": {"type": "object", "additionalProperties": _NUMBER},
    }
)
_FIGURES = _object(
    {
        "queue": {"type": "string"},
        "expected_s": {"type": ["integer", "null"], "minimum": 0},
        **_COUNTS,
        **_STAFF,
        "least_level": _LEVEL,
        "alerts": {"type": "array", "items": _ALERT},
        "channels": {"type": "object", "additionalProperties": _object(_COUNTS)},
    }
)
DESK = {
    "event": EVENT,
    "heartbeat": HEARTBEAT,
    "typing": TYPING,
    "viewers": _object({"conversation": _ID, "viewers": {"type": "array", "items": _VIEWER}}),
    "figures": _object(
        {
            "queues": {"type": "array", "items": _FIGURES},
            "agents": {"type": "array", "items": _AGENT_DAY},
            "whole": {"type": "array", "items": _object(_STAFF)},
        }
    ),
    "stale": _object({}),
    "signed_out": _object({"code": {"type": "string"}}),
}
VISITOR = {
    "event": EVENT,
    "heartbeat": HEARTBEAT,
    "typing": _object({"on": {"type": "boolean"}, "name": {"type": "string"}}),
    "position": _object(
        {
            "position": {"type": ["integer", "null"], "minimum": 1},
            "nobody": {"type": "boolean"},
            "wait_min": {"type": ["integer", "null"], "minimum": 1},
        }
    ),
    "unknown_visitor": _object({}),
}


def document() -> dict[str, Any]:
    """Return the schemas by server path, namespace and event name."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Events of Madoguchi's sockets; see docs/protocol.md",
        "/live": {"/agent": DESK, "/supervisor": DESK},
        "/widget/live": {"/visitor": VISITOR},
    }

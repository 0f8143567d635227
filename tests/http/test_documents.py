"""What the hub says of itself: OpenAPI, event schemas, health, readiness, figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from prometheus_client.parser import text_string_to_metric_families

from madoguchi.http.table import Nothing
from tests.support.hubs import Widget
from tests.support.raw import exchange, request
from tests.support.waiting import wait_for
from tests.support.worlds import World, named, world


async def fetched(one: World, path: str) -> Any:
    """Return the JSON under a path that needs no sign-in."""
    answer = await exchange(one.here.port, request("GET", path))
    assert answer.status == 200
    return orjson.loads(answer.body)


async def test_the_openapi_document_is_valid_and_complete(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        document = await fetched(one, "/api/v1/openapi.json")
        validate(document)
        found = {
            f"{method.upper()} {path}"
            for path, methods in document["paths"].items()
            for method in methods
        }
        operations = [*one.here.hub.api.operations, *one.here.hub.widget.operations()]
        assert found == {named(o) for o in operations}
        ids = [o["operationId"] for methods in document["paths"].values() for o in methods.values()]
        assert len(ids) == len(set(ids))
        for operation in operations:
            told = document["paths"][operation.path][operation.method.lower()]
            assert told["summary"]
            scheme = operation.security or ("" if operation.public else "session")
            assert told["security"] == ([{scheme: []}] if scheme else [])
            assert ("requestBody" in told) is (operation.body is not Nothing or operation.upload)
            assert {p["name"] for p in told["parameters"] if p["in"] == "path"} == {
                part.strip("{}") for part in operation.path.split("/") if part.startswith("{")
            }


async def test_the_widgets_answers_fit_their_schemas(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        document = await fetched(one, "/api/v1/openapi.json")
        widget = await Widget(one.here).start()
        status, file = await widget.upload("a.txt", b"text")
        assert status == 201
        await widget.send("look", files=[file["id"]])
        await wait_for(lambda: widget.messages(), "it is stored")
        base = "/api/v1/widget/{account}"
        for method, path, place in (
            ("GET", "", base),
            ("POST", "/session", f"{base}/session"),
            ("GET", f"/files/{file['id']}", f"{base}/files/{{id}}"),
        ):
            body = {"language": "ja"} if method == "POST" else None
            status, answer = await widget.rest(method, path, body)
            assert status == 200
            told = document["paths"][place][method.lower()]["responses"]["200"]
            schema = told["content"]["application/json"]["schema"]
            assert schema["required"], "the schema says something"
            Draft202012Validator(schema).validate(answer)
        told = document["paths"][f"{base}/files"]["post"]
        schema = told["responses"]["201"]["content"]["application/json"]["schema"]
        Draft202012Validator(schema).validate(file)
        assert set(told["requestBody"]["content"]) == {"multipart/form-data"}
        offline = {"text": "call me", "name": "Sato", "mail": "a@example.jp", "language": "ja"}
        named_schema = document["components"]["schemas"]["OfflineBody"]
        Draft202012Validator(named_schema).validate(offline)
        assert (await widget.rest("POST", "/offline", offline))[0] == 204
        await widget.close()


async def test_real_events_fit_their_schemas(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        document = await fetched(one, "/api/v1/events.json")
        schemas = [s for server in ("/live", "/widget/live") for s in document[server].values()]
        for events in schemas:
            for schema in events.values():
                Draft202012Validator.check_schema(schema)
        widget = await Widget(one.here).start()
        got: list[tuple[str, dict[str, Any]]] = []

        def keep(name: str) -> Callable[[dict[str, Any]], None]:
            return lambda body: got.append((name, body))

        for name in ("heartbeat", "typing", "viewers", "stale", "signed_out"):
            one.desk.client.on(name, keep(name), namespace="/agent")
        open_ = {"conversation": one.conversation}
        await one.desk.client.call("open", open_, namespace="/agent")
        await one.desk.client.emit("viewing", open_, namespace="/agent")
        await one.here.sms("+819055500187", "one more")
        await widget.send("hello")
        await one.desk.until(lambda s: any(e["type"] == "message.received" for e in s.events), "m")
        await one.desk.until(lambda _: any(n == "viewers" for n, _ in got), "viewers")
        desk = document["/live"]["/agent"]
        assert len(one.desk.events) > 5
        for event in one.desk.events:
            Draft202012Validator(desk["event"]).validate(event)
        for name, body in got:
            Draft202012Validator(desk[name]).validate(body)
        broken = {**one.desk.events[0], "pos": "one"}
        assert list(Draft202012Validator(desk["event"]).iter_errors(broken))
        await widget.close()


async def test_health_readiness_and_figures(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        assert (await exchange(one.here.port, request("GET", "/healthz"))).body == b"ok\n"
        ready = await fetched(one, "/readyz")
        assert ready == {
            "ready": True,
            "stopping": False,
            "router": "owner",
            "failing": {},
            "accounts": {},
        }
        one.here.hub.stopping = True
        answer = await exchange(one.here.port, request("GET", "/readyz"))
        assert answer.status == 503
        figures = await exchange(one.here.port, request("GET", "/metrics"))
        families = {f.name: f for f in text_string_to_metric_families(figures.body.decode())}
        wanted = {"http_requests", "http_seconds", "log_head", "sockets_dropped", "hooks_refused"}
        wanted.add("socket_events_refused")
        assert {f"madoguchi_{name}" for name in wanted} <= set(families)
        assert families["madoguchi_log_head"].samples[0].value > 0

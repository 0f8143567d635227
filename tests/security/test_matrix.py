"""Role × operation × foreign object, generated from the route table."""

from __future__ import annotations

from pathlib import Path

from madoguchi.http.table import Operation
from madoguchi.model.ids import Id
from tests.support.hubs import Person
from tests.support.worlds import SAMPLES, World, named, sample, world

STRANGE = "01980000-0000-7000-8000-00000000dead"
OPEN = {"POST /api/v1/session"}
ANYBODY = {
    "GET /api/v1/calls/ice",
    "GET /api/v1/session",
    "DELETE /api/v1/session",
    "POST /api/v1/files",
    "PUT /api/v1/agents/me/preferences",
    "GET /api/v1/queues",
}
"""What everybody who is signed in may ask: it shows or makes one's own things only, or says what
customers are told, too.
"""

OF_A_CONVERSATION = ("/conversations/", "/customers/", "/offers/")
ADMINISTRATORS = (
    "/config",
    "/hours/preview",
    "/routing-rules",
    "/deadletters",
    "/audit",
    "/password",
)
TUNING = {
    "GET /api/v1/config",
    "GET /api/v1/config/versions",
    "POST /api/v1/config/versions/{number}/undo",
    "GET /api/v1/config/{kind}",
    "GET /api/v1/config/{kind}/{key}",
    "PUT /api/v1/config/{kind}/{key}",
    "GET /api/v1/agent-conditions/facts",
    "POST /api/v1/agent-conditions/check",
}
"""Supervisors, too: what they may not do of it is in test_tuning.py."""
TRYING = ("/trials", "/staffing", "/moves")
SUPERVISORS = (
    "/alerts",
    "/assign",
    "/board",
    "/board/half-hours",
    "/board/table",
    "/capacity",
    "/move",
    "/priority",
)
AGENTS = ("/agents/me/sign-out", "/agents/me/away-after-work", "/agents/{id}/presence")


def expected(operation: Operation, role: str) -> set[int]:
    """Return the statuses that are right for somebody who has nothing to do with the object.

    ``otto`` is an agent of another queue, ``sue`` a supervisor, ``adam`` an administrator.
    """
    path = operation.path
    supervisors = any(path.endswith(p) for p in SUPERVISORS)
    if named(operation) in ANYBODY:
        return {200, 201, 204, 415}
    if any(p in path for p in (*ADMINISTRATORS, *TRYING, "/agent-conditions")):
        return of_configuration(operation, role)
    if path.endswith("/files/{id}") or "/calls/{id}" in path:
        return {403} if path.endswith("/supervise") and role != "sue" else {404}
    if path.endswith("/closed"):
        return {403} if role == "otto" else {200, 404}
    if supervisors:
        return {200, 204, 404, 409, 422} if role == "sue" else {403}
    if any(p in path for p in OF_A_CONVERSATION):
        if role == "sue":
            return {200, 201, 204, 404, 409, 422}
        return {404} if role == "otto" else {403, 404}
    if path.endswith(("/agents", "/calls", "/calls/whom")):
        return {403} if role == "adam" else {200, 409, 422}
    assert path.endswith(AGENTS), f"say who may do {named(operation)}"
    if role == "sue":
        return {204, 404, 409}
    return {403} if role == "adam" else {403, 204, 409}


def of_configuration(operation: Operation, role: str) -> set[int]:
    """Return the same for what configures and what is tried."""
    if named(operation) in TUNING or any(p in operation.path for p in TRYING):
        return {403} if role == "otto" else {200, 202, 204, 403, 404, 422}
    return {200, 204, 404, 412, 422} if role == "adam" else {403}


async def ask(one: World, person: Person, operation: Operation, path: str) -> int:
    """Call an operation with its sample body; return the status."""
    body = sample(operation)
    status, _ = await person.raw(operation.method, path, body)
    return status


def calls(one: World) -> list[Operation]:
    """Return all operations but signing in and out."""
    skipped = {*OPEN, "DELETE /api/v1/session"}
    return [o for o in one.here.hub.api.operations if named(o) not in skipped]


async def test_every_operation_refuses_whom_it_must(tmp_path: Path, database: str) -> None:
    wrong = []
    async with world(tmp_path, database) as one:
        before = await one.boss.call("GET", f"/conversations/{one.conversation}")
        notes = await one.boss.call("GET", f"/conversations/{one.conversation}/timeline")
        for name in ("otto", "adam"):
            person = await one.here.person(name)
            for operation in calls(one):
                status = await ask(one, person, operation, one.path(operation))
                if status not in expected(operation, name):
                    wrong.append((name, named(operation), status))
        assert wrong == []
        after = await one.boss.call("GET", f"/conversations/{one.conversation}")
        assert after == before
        then = await one.boss.call("GET", f"/conversations/{one.conversation}/timeline")
        assert then["entries"] == notes["entries"]
        sue = await one.here.person("sue")
        for operation in calls(one):
            status = await ask(one, sue, operation, one.path(operation))
            if status not in expected(operation, "sue"):
                wrong.append(("sue", named(operation), status))
    assert wrong == []


async def test_nobody_means_401_everywhere(tmp_path: Path) -> None:
    wrong = []
    async with world(tmp_path) as one:
        stranger = await one.here.person("otto")
        assert stranger.http is not None
        stranger.http.cookie_jar.clear()
        for operation in one.here.hub.api.operations:
            status = await ask(one, stranger, operation, one.path(operation))
            if status != 401:
                wrong.append((named(operation), status))
    assert wrong == []


async def test_a_foreign_object_looks_like_one_that_does_not_exist(tmp_path: Path) -> None:
    """Whatever an agent of another queue sends: the answer is the one for an id of nothing."""
    bodies = {
        **SAMPLES,
        "SayBody": {"mode": "reply", "text": "x" * 2000, "files": [STRANGE]},
        "WrapUpBody": {"code": "solved"},
        "EndBody": {"inbound_seq": 2**31 - 1},
    }
    wrong = []
    async with world(tmp_path) as one:
        otto = await one.here.person("otto")
        for operation in calls(one):
            if not any(p in operation.path for p in OF_A_CONVERSATION):
                continue
            path = one.path(operation)
            nothing = operation.path.removeprefix("/api/v1").replace("{id}", STRANGE)
            body = bodies.get(operation.body.__name__)
            answers = [await otto.raw(operation.method, p, body) for p in (path, nothing)]
            for _, answer in answers:
                (answer or {}).pop("instance", None)
            if answers[0] != answers[1]:
                wrong.append((named(operation), answers))
    assert wrong == []


async def test_files_of_a_foreign_conversation(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        upload = await put_file(one.boss)
        otto, ben = await one.here.person("otto"), await one.here.person("ben")
        assert (await ben.raw("GET", f"/files/{upload}"))[0] == 404, "not sent yet: the uploader's"
        body = {"mode": "note", "text": "", "files": [upload]}
        assert (await ben.raw("POST", f"/conversations/{one.conversation}/messages", body))[
            0
        ] == 422, "somebody else's upload cannot be attached"
        await one.boss.call("POST", f"/conversations/{one.conversation}/messages", body)
        assert (await ben.raw("GET", f"/files/{upload}"))[0] == 200
        for name in ("otto", "adam"):
            person = otto if name == "otto" else await one.here.person(name)
            assert (await person.raw("GET", f"/files/{upload}"))[0] == 404


async def put_file(person: Person, name: str = "a.txt", data: bytes = b"text") -> Id:
    """Upload a file; return its id."""
    import aiohttp

    form = aiohttp.FormData()
    form.add_field("file", data, filename=name)
    assert person.http is not None
    async with person.http.post(
        f"{person.running.url}/api/v1/files", data=form, headers={"X-CSRF-Token": person.csrf}
    ) as answer:
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["id"])


async def test_roles_cannot_be_taken(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        otto = await one.here.person("otto")
        raised = {"body": {"name": "Otto", "roles": ["administrator"]}}
        assert (await otto.raw("PUT", "/config/agent/otto", raised))[0] == 403
        toml = {"toml": '[agent.otto]\nname = "Otto"\nroles = ["administrator"]'}
        assert (await otto.raw("POST", "/config/apply", toml))[0] == 403
        me = await otto.call("GET", "/session")
        assert me["me"]["roles"] == ["agent"]
        boss = one.boss.id
        body = {"presence": "away", "reason": "x"}
        assert (await otto.raw("PUT", f"/agents/{boss}/presence", body))[0] == 403

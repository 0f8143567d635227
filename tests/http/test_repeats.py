"""Repeating a call is safe: Idempotency-Key, If-Match and the client's own message ids."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from madoguchi.app import Hub, application, running
from madoguchi.http.remembered import RememberedAnswers
from madoguchi.http.runner import Runner
from madoguchi.http.table import Claim
from tests.support.hubs import Person, Running, settings_for
from tests.support.ports import free_port
from tests.support.waiting import wait_for
from tests.support.worlds import World, world

Answers = list[tuple[int, Any]]


async def note(one: World, key: str, text: str = "a note") -> tuple[int, Any]:
    """Post a note under an Idempotency-Key."""
    path = f"/conversations/{one.conversation}/messages"
    body = {"mode": "note", "text": text}
    return await one.boss.raw("POST", path, body, {"Idempotency-Key": key})


async def notes(one: World) -> list[str]:
    """Return the texts of all notes."""
    timeline = await one.boss.call("GET", f"/conversations/{one.conversation}/timeline")
    return [e["parts"][0]["text"] for e in timeline["entries"] if e["visibility"] == "internal"]


async def test_the_same_key_and_body_give_the_same_answer(tmp_path: Path, database: str) -> None:
    async with world(tmp_path, database) as one:
        first = await note(one, "k1")
        assert first[0] == 201
        assert await note(one, "k1") == first
        status, problem = await note(one, "k1", "another text")
        assert (status, problem["code"]) == (422, "key_reused")
        answers: Answers = list(
            await asyncio.gather(*(note(one, "k2", "at once") for _ in range(20)))
        )
        assert answers == [answers[0]] * 20
        path = f"/conversations/{one.conversation}/subject"
        again = await one.boss.raw("PUT", path, {"subject": "x"}, {"Idempotency-Key": "k1"})
        assert again[0] == 204, "only POST has keys"
        assert await notes(one) == ["a note", "at once"]
        assert one.here.hub.api._locks == {}


async def test_keys_are_everybodys_own_and_refusals_are_not_kept(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        sue = await one.here.person("sue")
        path = f"/conversations/{one.conversation}/messages"
        body = {"mode": "note", "text": "same key"}
        for person in (one.boss, sue):
            assert (await person.raw("POST", path, body, {"Idempotency-Key": "k"}))[0] == 201
        assert await notes(one) == ["same key", "same key"]
        assert (await note(one, "k3", " "))[0] == 422
        assert (await note(one, "k3", "now right"))[0] == 201
        for key in ("k" * 65, "é"):
            assert (await note(one, key))[1]["code"] == "bad_key"


class Dying(RememberedAnswers):
    """The process is killed when the act is done and its answer is not kept yet."""

    async def keep(self, claim: Claim, status: int, answer: Any) -> None:
        raise SystemError("killed")


def crash(one: World) -> None:
    """From here on no answer is kept."""
    one.here.hub.api.answers = Dying(one.here.hub.store, one.here.hub.clock)


def recover(one: World) -> None:
    """The process is there again."""
    one.here.hub.api.answers = RememberedAnswers(one.here.hub.store, one.here.hub.clock)


async def test_an_act_of_one_unit_is_not_repeated_after_a_crash(
    tmp_path: Path, database: str
) -> None:
    async with world(tmp_path, database) as one:
        crash(one)
        assert (await note(one, "k"))[0] == 500
        recover(one)
        status, problem = await note(one, "k")
        assert (status, problem["code"]) == (409, "answer_lost")
        assert "look" in problem["detail"]
        assert problem["since"]
        assert await notes(one) == ["a note"]
        assert (await note(one, "k", "another text"))[1]["code"] == "key_reused"


async def test_a_key_is_taken_in_the_transaction_of_the_act(tmp_path: Path, database: str) -> None:
    """Killed before the commit, nothing is left of either: the repeat does it."""
    async with world(tmp_path, database) as one:
        path = f"/conversations/{one.conversation}/messages"
        body = {"mode": "reply", "text": "late", "newest": one.here.hub.clock.new_id()}
        first = await one.boss.raw("POST", path, body, {"Idempotency-Key": "k"})
        assert first[0] == 201, "nothing newer than that id"
        refused = {"mode": "note", "text": "x", "files": [one.conversation]}
        for _ in range(2):
            status, problem = await one.boss.raw("POST", path, refused, {"Idempotency-Key": "n"})
            assert (status, problem["code"]) == (422, "unknown_file")


async def test_an_act_of_several_steps_is_unknown_after_a_crash(
    tmp_path: Path, database: str
) -> None:
    async with world(tmp_path, database) as one:
        key = {"Idempotency-Key": "k"}
        path, body = f"/conversations/{one.conversation}/transfer/cancel", None
        status, _ = await one.boss.raw("POST", path, body, key)
        assert status == 409, "nothing to take back: the key is free again"
        path = f"/conversations/{one.conversation}/transfer"
        transfer = {"queue": "vip", "reason": "skill", "summary": "for them"}
        crash(one)
        assert (await one.boss.raw("POST", path, transfer, key))[0] == 500
        recover(one)
        status, problem = await one.boss.raw("POST", path, transfer, key)
        assert (status, problem["code"]) == (409, "in_progress")
        acts = (await one.boss.call("GET", "/audit"))["acts"]
        assert [a["action"] for a in acts].count("conversation.transfer") == 1


@pytest.mark.postgres
async def test_two_processes_and_one_key_act_once(tmp_path: Path, pg_database: str) -> None:
    async with world(tmp_path / "a", pg_database) as one:
        keys = one.here.hub.settings.secret_keys
        port = free_port()
        settings = settings_for(tmp_path / "b", port, pg_database)
        settings = settings.model_copy(update={"secret_keys": keys})
        async with running(settings) as second, serving(second, port) as there:
            await wait_for(lambda: second.configuration.catalog.agents, "the configuration")
            twin = Person(there, "boss", one.boss.csrf, one.boss.id, one.boss.http)
            path = f"/conversations/{one.conversation}/messages"
            for round_ in range(20):
                body = {"mode": "note", "text": f"round {round_}"}
                key = {"Idempotency-Key": f"k{round_}"}
                answers = await asyncio.gather(
                    *(p.raw("POST", path, body, key) for p in (one.boss, twin) for _ in range(2))
                )
                codes = {status: a.get("code") for status, a in answers}
                assert codes.pop(201, "") is None
                assert codes in ({}, {409: "answer_lost"})
            assert await notes(one) == [f"round {n}" for n in range(20)]


@asynccontextmanager
async def serving(hub: Hub, port: int) -> AsyncIterator[Running]:
    """Serve a second process's hub."""
    runner = Runner(application(hub), 0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield Running(hub, port)
    await runner.cleanup()


async def test_a_message_id_is_sent_once(tmp_path: Path, database: str) -> None:
    async with world(tmp_path, database) as one:
        id = one.here.hub.clock.new_id()
        path = f"/conversations/{one.conversation}/messages"
        body = {"id": id, "mode": "reply", "text": "once"}
        answers = await asyncio.gather(*(one.boss.raw("POST", path, body) for _ in range(10)))
        assert {(status, a["id"]) for status, a in answers} == {(201, id)}
        sue = await one.here.person("sue")
        status, problem = await sue.raw("POST", path, body)
        assert (status, problem["code"]) == (409, "id_taken")


async def test_if_match_guards_against_lost_updates(tmp_path: Path, database: str) -> None:
    async with world(tmp_path, database) as one:
        path = f"/customers/{one.customer}"
        shown = await one.boss.call("GET", path)
        version = shown["version"]

        async def rename(name: str, tag: str) -> int:
            status, _ = await one.boss.raw("PUT", path, {"name": name}, {"If-Match": tag})
            return status

        for stale in ("0", '"0"', f'"{version + 1}"', '"2147483646"'):
            assert await rename("lost", stale) == 412, stale
        assert await rename("first", f'"{version}"') == 200
        assert await rename("second", f'W/"{version}"') == 412
        for broken in ("x", '"x"', "-1", '"2147483647"', "1.5"):
            assert await rename("broken", broken) == 400, broken
        assert await rename("any", "*") == 200
        assert one.boss.http is not None
        async with one.boss.http.get(f"{one.here.url}/api/v1{path}") as answer:
            assert answer.headers["ETag"] == f'"{version + 2}"'
            assert (await answer.json())["name"] == "any"


async def test_configuration_under_if_match(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        path, body = "/config/skill/new", {"body": {"name": "New"}}
        assert (await one.boss.raw("PUT", path, body, {"If-Match": '"3"'}))[0] == 412
        assert (await one.boss.raw("PUT", path, body, {"If-Match": '"0"'}))[0] == 200
        status, problem = await one.boss.raw("PUT", path, body, {"If-Match": '"0"'})
        assert (status, problem["code"], problem["version"]) == (412, "moved_on", 1)
        assert (await one.boss.raw("DELETE", path, None, {"If-Match": '"9"'}))[0] == 412
        assert (await one.boss.raw("DELETE", path, None, {"If-Match": '"1"'}))[0] == 200

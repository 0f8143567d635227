"""Signing in: guessing is slowed, names are not told apart, sessions and sockets end together."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path
from typing import Any

import pytest

from madoguchi.clock import ManualClock
from madoguchi.security.sessions import FREE_FAILURES, Sessions, Throttled, csrf_of
from tests.support.hubs import PASSWORD, Person, hub_running
from tests.support.raw import exchange, request
from tests.support.stores import opened
from tests.support.waiting import wait_for
from tests.support.worlds import world


async def attempt(person: Person, name: str, password: str) -> tuple[int, Any]:
    """Try to sign in; return status and answer without its request id."""
    status, answer = await person.raw("POST", "/session", {"name": name, "password": password})
    answer.pop("instance", None)
    return status, answer


async def test_known_and_unknown_names_get_the_same_answers(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        person = await here.person("sue")
        known, unknown = [], []
        for _ in range(FREE_FAILURES + 2):
            known.append(await attempt(person, "ann", "wrong"))
            unknown.append(await attempt(person, "nobody-here", "wrong"))
        for _, answer in (*known, *unknown):
            answer.pop("retry_after_s", None)
            answer["detail"] = answer["detail"].partition(";")[0]
        assert known == unknown
        assert known[0][0] == 401
        assert known[-1][0] == 429
        assert (await attempt(person, "ann", PASSWORD))[0] == 429, "also with the right password"


async def test_known_and_unknown_names_cost_the_same_time(tmp_path: Path) -> None:
    async with opened(tmp_path, "") as store:
        clock = ManualClock()
        sessions = Sessions(store, clock, 12)
        agent = clock.new_id()
        await sessions.set_password(agent, PASSWORD)
        times: dict[str, list[float]] = {"known": [], "unknown": []}
        for number in range(8):
            for name, id in (("known", agent), ("unknown", None)):
                clock.advance(1000)
                began = time.perf_counter()
                found = await sessions.sign_in(id, "wrong", "test", name=f"{name}{number}")
                times[name].append(time.perf_counter() - began)
                assert found is None
        known, unknown = (statistics.median(times[k]) for k in ("known", "unknown"))
        assert abs(known - unknown) / known < 0.5


async def test_throttling_grows_and_ends(tmp_path: Path, database: str) -> None:
    async with opened(tmp_path, database) as store:
        clock = ManualClock()
        sessions = Sessions(store, clock, 12)
        agent = clock.new_id()
        await sessions.set_password(agent, PASSWORD)
        pauses = []
        for id in (agent, None):
            for number in range(FREE_FAILURES + 3):
                try:
                    assert await sessions.sign_in(id, "wrong", "test", name="n") is None
                except Throttled as wait:
                    pauses.append(wait.after_s)
                    clock.advance(wait.after_s + 0.1)
                    assert await sessions.sign_in(id, "wrong", "test", name="n") is None
                assert number < FREE_FAILURES or pauses
        half = len(pauses) // 2
        assert pauses[:half] == pytest.approx(pauses[half:])
        assert pauses[0] == pytest.approx(5)
        assert pauses[1] == pytest.approx(10)
        clock.advance(900)
        token = await sessions.sign_in(agent, PASSWORD, "test", name="n")
        assert token is not None
        found = await sessions.find(token)
        assert found is not None
        assert (found.agent, found.csrf) == (agent, csrf_of(token))
        clock.advance(12 * 3600 + 1)
        assert await sessions.find(token) is None


async def test_a_lock_that_was_set_before_the_clock_went_back_is_over(
    tmp_path: Path, database: str
) -> None:
    async with opened(tmp_path, database) as store:
        clock = ManualClock()
        sessions = Sessions(store, clock, 12)
        agent = clock.new_id()
        await sessions.set_password(agent, PASSWORD)
        clock.set_ahead(3600)
        for _ in range(FREE_FAILURES):
            assert await sessions.sign_in(agent, "wrong", "test", name="n") is None
        with pytest.raises(Throttled):
            await sessions.sign_in(agent, PASSWORD, "test", name="n")
        clock.set_ahead(-3600)
        assert await sessions.sign_in(agent, PASSWORD, "test", name="n") is not None


async def test_the_loop_answers_while_ten_sign_in(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        person = await here.person("sue")
        signing = asyncio.gather(*(attempt(person, "ann", PASSWORD) for _ in range(10)))
        answers = 0
        while not signing.done():
            assert (await exchange(here.port, request("GET", "/healthz"))).status == 200
            answers += 1
        assert {status for status, _ in await signing} == {200}
        # A loop that hashes itself answers between two sign-ins at best.
        assert answers > 20


@pytest.mark.parametrize("how", ["signed out", "password", "disabled", "deleted"])
async def test_sessions_and_sockets_end_together(tmp_path: Path, how: str) -> None:
    async with world(tmp_path) as one:
        otto = await one.here.person("otto")
        desk = await otto.connect()
        ended: list[Any] = []
        desk.client.on("signed_out", ended.append, namespace="/agent")
        boss = one.boss
        if how == "signed out":
            await otto.call("DELETE", "/session")
        elif how == "password":
            await boss.call("PUT", f"/agents/{otto.id}/password", {"password": "x" * 20})
        elif how == "disabled":
            body = {"body": {"name": "Otto", "teams": ["vip"], "active": False}}
            await boss.call("PUT", "/config/agent/otto", body)
        else:
            await boss.call("DELETE", "/config/agent/otto")
        await wait_for(lambda: ended, "the page is told", within=5)
        await wait_for(lambda: not desk.client.connected, "the socket is closed", within=5)
        assert ended == [{"code": "session_ended"}]
        assert (await otto.raw("GET", "/session"))[0] == 401
        status, _ = await attempt(boss, "otto", PASSWORD)
        assert status == (200 if how == "signed out" else 401)


async def test_sign_ins_refusals_and_passwords_are_on_the_audit_trail(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        await attempt(one.boss, "nobody-here", "wrong")
        otto = one.here.hub.configuration.catalog.agents["otto"].id
        await one.boss.call("PUT", f"/agents/{otto}/password", {"password": "y" * 20})
        acts = (await one.boss.call("GET", "/audit"))["acts"]
        found = {(a["action"], a["actor_name"], a["object"]) for a in acts}
        assert ("session.open", "Boss", f"agent:{one.boss.id}") in found
        assert ("session.refused", "", "name:nobody-here") in found
        assert ("agent.password", "Boss", f"agent:{otto}") in found
        assert "y" * 20 not in repr(acts)


async def test_the_cookie_cannot_be_read_or_sent_by_others(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        body = f'{{"name": "ann", "password": "{PASSWORD}"}}'.encode()
        answer = await exchange(here.port, request("POST", "/api/v1/session", body=body))
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Path=/" in cookie
        token = cookie.partition("=")[2].partition(";")[0]
        stored = (tmp_path / "madoguchi.db").read_bytes()
        stored += (tmp_path / "madoguchi.db-wal").read_bytes()
        assert token.encode() not in stored
        assert PASSWORD.encode() not in stored

"""Configuration over REST: TOML back and forth, conflicts, queues in use."""

from __future__ import annotations

from pathlib import Path

from tests.support.worlds import World, world


async def exported(one: World) -> str:
    """Return the configuration as TOML."""
    assert one.boss.http is not None
    async with one.boss.http.get(f"{one.here.url}/api/v1/config.toml") as answer:
        assert answer.status == 200
        return await answer.text()


async def test_an_exported_text_can_be_applied_until_somebody_moves_on(
    tmp_path: Path, database: str
) -> None:
    async with world(tmp_path, database) as one:
        boss, toml = one.boss, await exported(one)
        done = await boss.call("POST", "/config/apply", {"toml": toml, "prune": True})
        assert done["diff"] == []
        await boss.call("PUT", "/config/skill/order", {"body": {"name": "Renamed"}})
        changed = toml.replace('name = "Returns"', 'name = "Goods back"')
        assert (await boss.raw("POST", "/config/apply", {"toml": changed}))[0] == 412
        mine = "\n".join([toml.split("\n")[0], '[queue.returns]\nname = "Goods back"'])
        done = await boss.call("POST", "/config/apply", {"toml": mine})
        assert [d["key"] for d in done["diff"]] == ["returns"]
        status, problem = await boss.raw(
            "POST", "/config/apply", {"toml": mine.replace("Goods", "G")}
        )
        assert (status, problem["code"], problem["key"]) == (412, "moved_on", "returns")
        assert (await boss.raw("POST", "/config/apply", {"toml": "based_on = 999"}))[0] == 422
        assert (await boss.call("GET", "/config/skill/order"))["body"] == {"name": "Renamed"}


async def test_a_queue_with_work_cannot_be_taken_away(tmp_path: Path, database: str) -> None:
    async with world(tmp_path, database) as one:
        assert (await one.boss.raw("DELETE", "/config/queue/vip"))[0] == 422, "a team serves it"
        await one.boss.call("PUT", "/config/team/vip", {"body": {"name": "VIP", "serves": []}})
        assert (await one.boss.raw("DELETE", "/config/queue/vip"))[0] == 200
        await one.boss.call("PUT", "/config/queue/vip", {"body": {"name": "VIP"}})
        path = f"/conversations/{one.conversation}/transfer"
        transfer = {"queue": "vip", "reason": "skill", "summary": "for them"}
        await one.boss.call("POST", path, transfer)
        status, problem = await one.boss.raw("DELETE", "/config/queue/vip")
        assert status == 422
        assert problem["faults"][0]["place"] == "queue.vip"
        assert problem["faults"][0]["message"].startswith("1 conversations")


async def test_unset_settings_can_be_exported(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        shop = (await one.boss.call("GET", "/config/account/shop"))["body"]
        shop["settings"] = {"secret": None, "origins": []}
        await one.boss.call("PUT", "/config/account/shop", {"body": shop})
        assert "[account.shop]" in await exported(one)


async def test_a_broken_account_is_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        body = (await one.boss.call("GET", "/config/account/sms"))["body"]
        body["settings"]["auth_token"] = "env:NOT_SET_ANYWHERE"
        status, problem = await one.boss.raw("PUT", "/config/account/sms", {"body": body})
        assert status == 422
        assert "NOT_SET_ANYWHERE" in problem["faults"][0]["message"]
        assert await one.here.sms("+819055500187", "still working") == 204

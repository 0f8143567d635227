"""Configuration over REST: TOML back and forth, conflicts, queues in use."""

from __future__ import annotations

from pathlib import Path

from tests.support.hubs import TOKEN
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
        assert (await boss.call("GET", "/config/skill/order"))["body"]["name"] == "Renamed"


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
        body["settings"]["auth_token"] = "env:MADOGUCHI_SECRET_NOT_SET"
        status, problem = await one.boss.raw("PUT", "/config/account/sms", {"body": body})
        assert status == 422
        fault = problem["faults"][0]
        assert fault["place"] == "account.sms.settings.auth_token"
        assert "MADOGUCHI_SECRET_NOT_SET" in fault["message"]
        facts = {"name": "MADOGUCHI_SECRET_NOT_SET"}
        assert (fault["type"], fault["facts"]) == ("secret_env_unset", facts)
        assert await one.here.sms("+819055500187", "still working") == 204


async def test_a_secret_in_a_file_lies_in_the_folders_of_secrets(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        own = one.here.hub.settings.data / "secrets"
        own.mkdir()
        (own / "token").write_text("a token")
        body = (await one.boss.call("GET", "/config/account/sms"))["body"]
        body["settings"]["auth_token"] = f"file:{own / 'token'}"
        await one.boss.call("PUT", "/config/account/sms", {"body": body})
        assert await one.here.sms("+819055500187", "hi", token="a token") == 204
        body["settings"]["auth_token"] = "file:/etc/passwd"
        status, problem = await one.boss.raw("PUT", "/config/account/sms", {"body": body})
        assert status == 422
        (fault,) = problem["faults"]
        assert fault["place"] == "account.sms.settings.auth_token"
        assert fault["type"] == "secret_file_outside"
        assert str(own) in fault["facts"]["folders"]
        assert "MADOGUCHI_SECRETS_DIR" in fault["message"]
        (own / "token").unlink()
        (own / "token").symlink_to("/etc/hostname")
        body["settings"]["auth_token"] = "<kept>"
        status, problem = await one.boss.raw("PUT", "/config/account/sms", {"body": body})
        assert [f["type"] for f in problem["faults"]] == ["secret_file_outside"]


async def test_the_last_administrator_stays(tmp_path: Path, database: str) -> None:
    async with world(tmp_path, database) as one:
        boss = one.boss
        plain = {"name": "Boss", "roles": ["agent", "supervisor"], "teams": ["front"]}
        await boss.call("PUT", "/config/agent/adam", {"body": {"name": "Adam"}})
        status, problem = await boss.raw("PUT", "/config/agent/boss", {"body": plain})
        assert (status, problem["code"]) == (422, "invalid"), "demoted"
        assert problem["faults"] == [
            {
                "place": "agent.boss",
                "message": "is the last active administrator; let somebody else be one first",
                "type": "last_administrator",
                "facts": {},
            }
        ]
        away = {**plain, "roles": ["administrator"], "active": False}
        assert (await boss.raw("PUT", "/config/agent/boss", {"body": away}))[0] == 422, "disabled"
        assert (await boss.raw("DELETE", "/config/agent/boss"))[0] == 422, "deleted"
        toml = '[skill.order]\nname = "Orders"'
        for dry_run in (True, False):
            body = {"toml": toml, "prune": True, "dry_run": dry_run}
            status, problem = await boss.raw("POST", "/config/apply", body)
            assert status == 422
            assert [f["place"] for f in problem["faults"]] == ["agent.boss"]
        assert (await boss.raw("GET", "/session"))[0] == 200
        fellow = {"name": "Adam", "roles": ["administrator"]}
        await boss.call("PUT", "/config/agent/adam", {"body": fellow})
        await boss.call("PUT", "/config/agent/boss", {"body": plain})


async def test_untouched_secrets_are_neither_conflict_nor_change(
    tmp_path: Path, database: str
) -> None:
    async with world(tmp_path, database) as one:
        boss, toml = one.boss, await exported(one)
        assert toml.count("<kept>") == 2
        sms = (await boss.call("GET", "/config/account/sms"))["body"]
        sms["name"] = "Renamed"
        await boss.call("PUT", "/config/account/sms", {"body": sms})
        newer = await exported(one)
        based = toml.replace('name = "SMS"', 'name = "Renamed"')
        for text in (newer, based):
            done = await boss.call("POST", "/config/apply", {"toml": text, "prune": True})
            assert done["diff"] == [], "the secrets are the same"
        again = newer.replace('auth_token = "<kept>"', f'auth_token = "{TOKEN}"')
        assert again != newer
        done = await boss.call("POST", "/config/apply", {"toml": again})
        assert done["diff"] == [], "the same secret once more"
        changed = based.replace('auth_token = "<kept>"', 'auth_token = "another-token"')
        status, problem = await boss.raw("POST", "/config/apply", {"toml": changed})
        assert (status, problem["code"], problem["key"]) == (412, "moved_on", "sms")
        changed = newer.replace('auth_token = "<kept>"', 'auth_token = "another-token"')
        done = await boss.call("POST", "/config/apply", {"toml": changed})
        assert [(d["key"], d["fields"]) for d in done["diff"]] == [
            ("sms", {"settings": "<settings>"})
        ]
        assert await one.here.sms("+819055500187", "signed anew", token="another-token") == 204

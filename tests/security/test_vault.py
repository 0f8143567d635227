"""Secrets: bound to their place, rotated, and never told to anybody."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from madoguchi.security.secrets import PREFIX, BadSecret, Vault, new_key, parse_keys
from tests.support.worlds import world

CANARY = "canary-zqx-7731-secret"


def vault(*keys: str) -> Vault:
    return Vault(parse_keys(",".join(keys)))


@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(st.characters(exclude_categories=["Cs"])),
)
def test_what_was_sealed_opens_at_its_place_only(value: str, place: str) -> None:
    one = vault(new_key())
    if value.startswith(("env:", "file:", PREFIX)):
        return
    sealed = one.seal(value, place)
    assert one.open(sealed, place) == value
    assert one.seal(value, place) != sealed, "a nonce of its own each time"
    with pytest.raises(BadSecret):
        one.open(sealed, place + "x")


def test_rotation() -> None:
    old, new = new_key(), new_key()
    sealed = vault(old).seal(CANARY, "p")
    assert vault(new, old).open(sealed, "p") == CANARY
    assert vault(old, new).open(sealed, "p") == CANARY
    again = vault(new, old).seal(CANARY, "p")
    assert vault(new).open(again, "p") == CANARY
    with pytest.raises(BadSecret, match="MADOGUCHI_SECRET_KEYS"):
        vault(new).open(sealed, "p")


@pytest.mark.parametrize("rest", ["", "!!!", "AAAA", "A" * 15, "A" * 64, "é"])
def test_broken_ciphertext_is_a_bad_secret(rest: str) -> None:
    with pytest.raises(BadSecret) as caught:
        vault(new_key()).open(PREFIX + rest, "p")
    assert rest == "" or rest not in str(caught.value)


def test_pointers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = vault(new_key())
    monkeypatch.setenv("CANARY", CANARY)
    (tmp_path / "secret").write_text(f"{CANARY}\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for pointer in ("env:CANARY", f"file:{tmp_path}/secret"):
        assert one.seal(pointer, "p") == pointer
        assert one.open(pointer, "p") == CANARY
    for wrong in ("env:MISSING_ONE", f"file:{tmp_path}/none", f"file:{tmp_path}/bytes", "file:/"):
        with pytest.raises(BadSecret, match="p: "):
            one.open(wrong, "p")


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param("", id="none"),
        pytest.param(",", id="nothing between commas"),
        pytest.param("short", id="short"),
        pytest.param("A" * 44, id="too long"),
        pytest.param(new_key()[:-4], id="cut"),
        pytest.param(f"{new_key()},not base64!", id="second is not base64"),
    ],
)
def test_bad_keys_are_told_without_the_key(keys: str) -> None:
    if keys == "A" * 44:
        keys = "AAAA"
    with pytest.raises(BadSecret, match="MADOGUCHI_SECRET_KEYS") as caught:
        parse_keys(keys)
    assert not keys or keys not in str(caught.value) or keys == ","


async def test_a_secret_is_nowhere_to_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as logs:
        async with world(tmp_path) as one:
            boss = one.boss
            account = await boss.call("GET", "/config/account/sms")
            body = account["body"]
            assert body["settings"]["auth_token"] == "<kept>"
            body["settings"]["auth_token"] = CANARY
            shown: list[Any] = [
                await boss.raw("PUT", "/config/account/sms", {"body": body, "reason": "rotate"})
            ]
            bad = {**body, "settings": {**body["settings"], "number": "nonsense"}}
            shown.append(await boss.raw("PUT", "/config/account/sms", {"body": bad}))
            assert shown[-1][0] == 422
            toml = f'[account.sms.settings]\nauth_token = "{CANARY}"\nnumber = 5'
            shown.append(await boss.raw("POST", "/config/apply", {"toml": toml}))
            toml = f'[account.sms.settings]\nprevious_auth_token = "{CANARY}"'
            shown.append(await boss.raw("POST", "/config/apply", {"toml": toml}))
            assert shown[-1][0] == 200, shown[-1]
            for path in (
                "/config",
                "/config/account",
                "/config/account/sms",
                "/config/versions",
                "/audit",
                "/session",
            ):
                shown.append(await boss.raw("GET", path))
            assert boss.http is not None
            async with boss.http.get(f"{one.here.url}/api/v1/config.toml") as answer:
                shown.append(await answer.text())
            assert "<kept>" in shown[-1]
            for path in ("/readyz", "/metrics", "/api/v1/openapi.json"):
                async with boss.http.get(f"{one.here.url}{path}") as answer:
                    shown.append(await answer.text())
            assert await one.here.sms("+819055500187", "hi", token=CANARY) == 204
    assert CANARY not in repr(shown)
    assert PREFIX not in repr(shown)
    assert CANARY not in repr(logs) + caplog.text
    assert CANARY.encode() not in database_bytes(tmp_path)


def database_bytes(folder: Path) -> bytes:
    """Return all that lies in the database's files."""
    return b"".join(p.read_bytes() for p in folder.glob("madoguchi.db*"))

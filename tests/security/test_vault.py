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
    one = Vault(parse_keys(new_key()), [tmp_path])
    monkeypatch.setenv("MADOGUCHI_SECRET_CANARY", CANARY)
    (tmp_path / "secret").write_text(f"{CANARY}\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "long").write_text("x" * 65_537)
    for pointer in ("env:MADOGUCHI_SECRET_CANARY", f"file:{tmp_path}/secret"):
        assert one.seal(pointer, "p") == pointer
        assert one.open(pointer, "p") == CANARY
    unreadable = [f"file:{tmp_path}{name}" for name in ("/none", "/bytes", "/long")]
    for wrong, code in [
        ("env:MADOGUCHI_SECRET_MISSING", "secret_env_unset"),
        *((name, "secret_file_unreadable") for name in unreadable),
    ]:
        with pytest.raises(BadSecret, match="p: ") as caught:
            one.open(wrong, "p")
        assert caught.value.code == code


def test_file_names_only_what_lies_directly_in_the_folders_of_secrets(tmp_path: Path) -> None:
    inside, outside = tmp_path / "secrets", tmp_path / "secrets-of-others"
    pod = inside / "kubernetes.io" / "serviceaccount"
    for folder in (inside, inside / "..data", outside, pod):
        folder.mkdir(parents=True)
        (folder / "token").write_text(CANARY)
    (inside / "linked").symlink_to(inside / "..data" / "token")
    (inside / "out").symlink_to(outside / "token")
    (inside / "away").symlink_to(outside)
    (inside / "loop").symlink_to(inside / "loop")
    (tmp_path / "alias").symlink_to(inside)
    one = Vault(parse_keys(new_key()), [tmp_path / "missing", tmp_path / "alias"])
    for name in ("secrets/token", "secrets/linked", "alias/token", "secrets/..data/../token"):
        assert one.open(f"file:{tmp_path}/{name}", "p") == CANARY
    for name in (
        f"{outside}/token",
        f"{outside}/none",
        f"{pod}/token",
        f"{inside}/..data/token",
        f"{inside}/..",
        f"{inside}",
        f"{inside}/out",
        f"{inside}/away/token",
        f"{inside}/../secrets-of-others/token",
        "/etc/passwd",
        "/",
        "",
        "token",
        f"{inside}/to\0ken",
    ):
        with pytest.raises(BadSecret, match="MADOGUCHI_SECRETS_DIR") as caught:
            one.open(f"file:{name}", "p")
        assert caught.value.code == "secret_file_outside"
        assert CANARY not in str(caught.value)
    with pytest.raises(BadSecret):
        one.open(f"file:{inside}/loop", "p")
    with pytest.raises(BadSecret, match="no folder"):
        vault(new_key()).open(f"file:{inside}/token", "p")


@pytest.mark.parametrize(
    "name",
    [
        "MADOGUCHI_DATABASE",
        "MADOGUCHI_SECRET_KEYS",
        "MADOGUCHI_SECRET_KEY",
        "MADOGUCHI_SECRETS_DIR",
        "MADOGUCHI_SECRET_",
        "madoguchi_secret_x",
        "MADOGUCHI_SECRET_\ud800",
        "MADOGUCHI_SECRET_X\n",
        "PGPASSWORD",
        "AWS_SECRET_ACCESS_KEY",
        "\ud800",
        "a=b",
        "\0",
        "",
    ],
)
def test_env_names_only_what_was_made_for_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name.isascii() and name.replace("_", "").isalnum():
        monkeypatch.setenv(name, CANARY)
    with pytest.raises(BadSecret, match="begin with MADOGUCHI_SECRET_") as caught:
        vault(new_key()).open(f"env:{name}", "p")
    assert caught.value.code == "secret_env_name"


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

"""Settings of the process: all faults at once; a server that cannot start says why in one line."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from madoguchi.settings import BadSettings, load
from tests.support.ports import free_port
from tests.support.servers import Server


def test_defaults_and_the_environment() -> None:
    defaults = load({})
    assert (defaults.host, defaults.port, defaults.database) == ("127.0.0.1", 8080, "")
    found = load({"MADOGUCHI_PORT": "9000", "PATH": "/bin", "MADOGUCHI_LOG_LEVEL": "debug"})
    assert (found.port, found.log_level) == (9000, "debug")
    assert found.base_url == "http://127.0.0.1:9000"
    assert load({"MADOGUCHI_PUBLIC_URL": "https://x.example/"}).base_url == "https://x.example"


def test_secrets_of_accounts_are_no_settings() -> None:
    assert load({"MADOGUCHI_SECRET_TWILIO": "x"}) == load({})
    with pytest.raises(BadSettings, match="MADOGUCHI_SECRET_KEY: no such setting"):
        load({"MADOGUCHI_SECRET_KEY": "a word with a letter too few"})


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadSettings) as caught:
        load(
            {
                "MADOGUCHI_PORT": "99999",
                "MADOGUCHI_LOG_LEVEL": "loud",
                "MADOGUCHI_PUBLIC_URL": "desk.example.com",
                "MADOGUCHI_DATABASE": "mysql://x",
                "MADOGUCHI_TRUSTED_PROXIES": "-1",
                "MADOGUCHI_SESSION_HOURS": "nan",
                "MADOGUCHI_SECRETS_DIR": "secrets",
                "MADOGUCHI_COLOUR": "blue",
            }
        )
    told = {line.partition(":")[0] for line in str(caught.value).splitlines()}
    assert told == {
        f"MADOGUCHI_{name}"
        for name in ("PORT", "LOG_LEVEL", "PUBLIC_URL", "DATABASE", "TRUSTED_PROXIES",
                     "SESSION_HOURS", "SECRETS_DIR", "COLOUR")
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PORT", "web", "must be a whole number"),
        ("PORT", "99999", "must be 65535 or less"),
        ("PORT", "0", "must be 1 or more"),
        ("SESSION_HOURS", "0", "must be more than 0"),
        ("SESSION_HOURS", "long", "must be a number"),
        ("LOG_LEVEL", "loud", "must be one of debug, info, warning, error"),
        ("SECRETS_DIR", "secrets", "must be a whole path that begins with /"),
        ("METRICS_TOKEN", "short", "must be 16 to 200 letters, digits or - . _ ~ + / ="),
        ("TIME_ZONE", "Tokio", "is no time zone; one looks like Asia/Tokyo"),
        ("COLOUR", "x", "no such setting; docs/operations.md has the list"),
    ],
)
def test_a_fault_is_told_in_our_own_words(name: str, value: str, words: str) -> None:
    with pytest.raises(BadSettings) as caught:
        load({f"MADOGUCHI_{name}": value})
    assert str(caught.value) == f"MADOGUCHI_{name}: {words}"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('port = 9001\nlog_format = "json"\n')
    env = {"MADOGUCHI_CONFIG": str(file), "MADOGUCHI_PORT": "9002"}
    assert (load(env).port, load(env).log_format) == (9002, "json")


@pytest.mark.parametrize(
    "content", [b"port = ", b"\xff\xfe", b"prt = 1", b"port = [1]", b"a = " + b"[" * 5000]
)
def test_a_bad_file_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(content)
    with pytest.raises(BadSettings, match="MADOGUCHI_"):
        load({"MADOGUCHI_CONFIG": str(file)})
    with pytest.raises(BadSettings, match="cannot read"):
        load({"MADOGUCHI_CONFIG": str(tmp_path / "missing.toml")})
    with pytest.raises(BadSettings, match="cannot read"):
        load({"MADOGUCHI_CONFIG": str(tmp_path)})


@pytest.mark.parametrize(
    "address",
    ["postgresql://[::bad", "postgresql://h:port/d", "http://[::1", "https://", "ftp://x.example"],
)
def test_addresses_that_cannot_be_read(address: str) -> None:
    name = "DATABASE" if address.startswith("post") else "PUBLIC_URL"
    with pytest.raises(BadSettings, match=name):
        load({f"MADOGUCHI_{name}": address})


def refusal(server: Server, *arguments: str) -> str:
    """Run a command that cannot work; return its one line."""
    done = server.command(*(arguments or ("serve",)))
    assert done.returncode == 1, done
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("madoguchi: ")
    assert "Traceback" not in done.stderr + done.stdout
    return lines[0]


def test_a_taken_port(tmp_path: Path) -> None:
    server = Server(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", server.port))
        other.listen()
        line = refusal(server)
    assert str(server.port) in line
    assert "MADOGUCHI_PORT" in line


async def test_a_data_folder_in_use_and_commands_without_a_server(tmp_path: Path) -> None:
    server = Server(tmp_path)
    assert "no server is running" in refusal(server, "export")
    await server.start()
    second = Server(tmp_path)
    assert str(tmp_path) in refusal(second)
    assert "cannot read" in refusal(server, "apply", str(tmp_path / "missing.toml"))
    refused = server.command("apply", "-", text="x =")
    assert (refused.returncode, "TOML" in refused.stderr) == (1, True)
    done = server.command("export")
    assert (done.returncode, "based_on" in done.stdout) == (0, True)
    assert server.stop() == 0


async def test_a_folder_deeper_than_a_socket_can_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sun_path` of unix(7) takes 108 bytes; a checkout may lie deeper."""
    deep = tmp_path / ("a" * 60) / ("b" * 60)
    deep.mkdir(parents=True)
    server = Server(deep)
    assert "MADOGUCHI_DATA" in refusal(server)
    monkeypatch.chdir(deep)
    server.environment["MADOGUCHI_DATA"] = "var"
    await server.start()
    done = server.command("export")
    assert (done.returncode, "based_on" in done.stdout) == (0, True)
    assert server.stop() == 0


CANNOT_WORK = [
    ("DATABASE", "postgresql://app@127.0.0.1:{port}/none"),
    ("DATABASE", "postgresql://no.such.host.invalid/none"),
    ("PORT", "eighty"),
    ("SECRET_KEYS", "not base64!"),
    ("DATA", "/proc/nothing"),
    ("DATA", "{folder}/file"),
    ("HOST", "256.1.1.1"),
]


def test_what_cannot_work_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    servers = []
    for number, (name, value) in enumerate(CANNOT_WORK):
        server = Server(tmp_path / str(number))
        told = value.format(port=free_port(), folder=tmp_path)
        server.environment[f"MADOGUCHI_{name}"] = told
        servers.append(server)
    with ThreadPoolExecutor(4) as pool:
        lines = list(pool.map(refusal, servers))
    assert len(lines) == len(CANNOT_WORK)


def test_a_host_that_is_not_ours_is_named_with_what_to_do(tmp_path: Path) -> None:
    lines = []
    for host in ("192.0.2.1", "no.such.host.invalid"):
        server = Server(tmp_path / host)
        server.environment["MADOGUCHI_HOST"] = host
        lines.append(refusal(server))
        assert f"cannot listen on {host}:{server.port}: " in lines[-1]
        assert "set MADOGUCHI_HOST to 127.0.0.1" in lines[-1]
        assert "free port" not in lines[-1]
    assert "this machine does not have this address" in lines[0]
    assert "no address is known for this host" in lines[1]


def test_a_broken_database_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "madoguchi.db").write_bytes(b"no database " * 1000)
    assert "madoguchi.db" in refusal(Server(tmp_path))

"""Settings of a process, from ``MADOGUCHI_…`` in the environment and an optional TOML file."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from madoguchi.model.hours import is_zone

PREFIX = "MADOGUCHI_"
NO_SUCH = "no such setting; docs/operations.md has the list"
ACCOUNT_SECRET = f"{PREFIX}SECRET_"
_ACCOUNT_SECRET = re.compile(f"{ACCOUNT_SECRET}(?!KEY)[A-Z0-9_]+")
"""What begins as the hub's own keys do, misspelt ones too, is none."""
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{16,200}")


class BadSettings(Exception):
    """The settings do not hold; the text lists every fault, one a line."""


class Settings(BaseModel):
    """Everything that an operator may set for one process; see docs/operations.md."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="address to bind")
    port: int = Field(8080, ge=1, le=65535, description="TCP port to bind")
    public_url: str = Field(
        "", description="how the world reaches us; signatures are checked against it"
    )
    data: Path = Field(
        Path("var"), description="folder for database, files, keys and the control socket"
    )
    database: str = Field("", description="postgresql://… ; empty: SQLite in the data folder")
    secret_keys: str = Field(
        "", description="comma-separated base64 keys; the first encrypts, all decrypt"
    )
    secrets_dir: Path = Field(
        Path("/run/secrets"),
        description="folder of the files that file: may name, besides secrets/ in the data folder",
    )
    log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="least level logged"
    )
    log_format: str = Field("text", pattern="^(text|json)$", description="form of the log lines")
    trusted_proxies: int = Field(
        0, ge=0, le=8, description="reverse proxies whose X-Forwarded-For counts"
    )
    metrics_token: str = Field(
        "", description="bearer token for /metrics; empty: asked from this machine only"
    )
    body_limit: int = Field(1024 * 1024, ge=1024, description="webhook and JSON body, bytes")
    upload_limit: int = Field(20 * 1024 * 1024, ge=1024, description="one uploaded file, bytes")
    time_zone: str = Field(
        "", description="where the company's days begin, as Asia/Tokyo; empty: the machine's"
    )
    session_hours: float = Field(
        12, gt=0, le=720, description="a sign-in lasts so long without use"
    )

    stun: str = Field("", description="comma-separated stun: addresses for calls between browsers")
    turn: str = Field("", description="comma-separated turn: or turns: addresses for these calls")
    turn_secret: str = Field(
        "", description="what the TURN server signs its passes with (coturn: static-auth-secret)"
    )

    @field_validator("stun", "turn")
    @classmethod
    def _servers(cls, value: str) -> str:
        for one in _listed(value):
            if not re.fullmatch(r"(stun|turn)s?:\S+", one):
                raise ValueError("must look like stun:turn.example.com:3478")
        return value

    @field_validator("public_url")
    @classmethod
    def _url(cls, value: str) -> str:
        if value and (
            urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).netloc
        ):
            raise ValueError("must look like https://desk.example.com")
        return value.rstrip("/")

    @field_validator("secrets_dir")
    @classmethod
    def _folder(cls, value: Path) -> Path:
        if not value.is_absolute():
            raise ValueError("must be a whole path that begins with /")
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value and not is_zone(value):
            raise ValueError("is no time zone; one looks like Asia/Tokyo")
        return value

    @field_validator("metrics_token")
    @classmethod
    def _token(cls, value: str) -> str:
        if value and not _TOKEN.fullmatch(value):
            raise ValueError("must be 16 to 200 letters, digits or - . _ ~ + / =")
        return value

    @field_validator("database")
    @classmethod
    def _database(cls, value: str) -> str:
        if value and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql:// or be empty for SQLite")
        try:
            _ = urlsplit(value).port
        except ValueError as wrong:
            raise ValueError(f"is no address of a database: {wrong}") from wrong
        return value

    @property
    def stun_servers(self) -> list[str]:
        """The STUN servers of calls between browsers."""
        return _listed(self.stun)

    @property
    def turn_servers(self) -> list[str]:
        """The TURN servers of calls between browsers."""
        return _listed(self.turn)

    @property
    def zone(self) -> ZoneInfo | None:
        """Where the company's days begin; None: where the machine's do."""
        return ZoneInfo(self.time_zone) if self.time_zone else None

    @property
    def secret_folders(self) -> list[Path]:
        """Where the files lie that hold secrets of accounts."""
        return [self.secrets_dir, self.data / "secrets"]

    @property
    def base_url(self) -> str:
        """The public URL without a trailing slash; defaults to the bound address."""
        return self.public_url or f"http://{self.host}:{self.port}"


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def is_account_secret(name: str) -> bool:
    """Tell whether a variable holds an account's secret, so that ``env:`` may name it."""
    return _ACCOUNT_SECRET.fullmatch(name) is not None


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; the environment wins over the file named by ``MADOGUCHI_CONFIG``.

    Raises BadSettings with all faults at once.
    """
    env = os.environ if environ is None else environ
    values: dict[str, Any] = _from_file(env.get(f"{PREFIX}CONFIG", ""))
    faults = []
    for name, value in env.items():
        key = name.removeprefix(PREFIX).lower()
        if not name.startswith(PREFIX) or key in {"config", "token"} or is_account_secret(name):
            continue
        if key not in Settings.model_fields:
            faults.append(f"{name}: {NO_SUCH}")
        else:
            values[key] = value
    try:
        settings = Settings(**values)
    except ValidationError as wrong:
        faults += [f"{PREFIX}{_name(e['loc'])}: {_said(e)}" for e in wrong.errors()]
    else:
        if not faults:
            return settings
    raise BadSettings("\n".join(faults))


def _said(fault: ErrorDetails) -> str:
    """Return what is wrong and what would be right, in our words, without the value."""
    facts = fault.get("ctx", {})
    match fault["type"]:
        case "value_error":
            return str(facts["error"])
        case "extra_forbidden":
            return NO_SUCH
        case "int_parsing" | "int_type" | "int_from_float":
            return "must be a whole number"
        case "float_parsing" | "float_type":
            return "must be a number"
        case "greater_than_equal":
            return f"must be {facts['ge']} or more"
        case "greater_than":
            return f"must be more than {facts['gt']:g}"
        case "less_than_equal":
            return f"must be {facts['le']:g} or less"
        case "string_pattern_mismatch":
            return f"must be one of {facts['pattern'].strip('^()$').replace('|', ', ')}"
    return fault["msg"][:1].lower() + fault["msg"][1:]


def _name(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location).upper()


def _from_file(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as fault:
        raise BadSettings(f"{PREFIX}CONFIG: cannot read {path}: {fault.strerror}") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise BadSettings(f"{PREFIX}CONFIG: {path} is not valid TOML: {fault}") from fault

"""Secrets of accounts: AES-GCM under rotating keys, or a pointer to the environment or a file."""

import base64
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from madoguchi.settings import ACCOUNT_SECRET, is_account_secret
from madoguchi.settings import PREFIX as OWN

PREFIX = "enc:v1:"
KEYS = f"{OWN}SECRET_KEYS"
LARGEST = 64 * 1024


class BadSecret(Exception):
    """A secret cannot be read: where, why and what to do, never the value.

    ``code`` and ``facts`` say the same for pages.
    """

    def __init__(self, place: str, reason: str, code: str = "secret_keys", **facts: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place, self.reason, self.code, self.facts = place, reason, code, facts


def new_key() -> str:
    """Return a new key for MADOGUCHI_SECRET_KEYS: 32 random bytes, base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def parse_keys(text: str) -> list[bytes]:
    """Return the keys of a comma-separated list. Raises BadSecret."""
    keys = []
    for number, part in enumerate(filter(None, (p.strip() for p in text.split(","))), start=1):
        try:
            key = base64.b64decode(part, validate=True)
        except ValueError as wrong:
            raise BadSecret(KEYS, f"key {number} is not base64") from wrong
        if len(key) != 32:
            raise BadSecret(KEYS, f"key {number} must have 32 bytes")
        keys.append(key)
    if not keys:
        raise BadSecret(KEYS, "at least one key is needed")
    return keys


class Vault:
    """Encrypts with the first key, decrypts with any; each value is bound to its ``place``.

    ``file:`` names files directly in ``folders`` only, ``env:`` variables made for it: an
    administrator of the center is none of the machine, and what an account may name it may send to
    a provider of their choice. What lies deeper in /run/secrets is often for others: the tokens
    that Kubernetes and clouds give a pod.
    """

    def __init__(self, keys: Sequence[bytes], folders: Sequence[Path] = ()) -> None:
        self._ciphers = [AESGCM(key) for key in keys]
        self._keys = list(keys)
        self._folders = list(folders)

    @property
    def signing_keys(self) -> list[bytes]:
        """Keys for signatures, the oldest first: the last signs, all verify."""
        return [b"madoguchi-sign:" + key for key in reversed(self._keys)]

    def seal(self, value: str, place: str) -> str:
        """Return the encrypted form; ``env:NAME`` and ``file:PATH`` are pointers and stay."""
        if value.startswith(("env:", "file:", PREFIX)):
            return value
        nonce = os.urandom(12)
        sealed = self._ciphers[0].encrypt(nonce, value.encode(), place.encode())
        return PREFIX + base64.b64encode(nonce + sealed).decode()

    def holds(self, sealed: str, value: str, place: str) -> bool:
        """Tell whether an encrypted form holds a value under the first key, not an older one."""
        if not sealed.startswith(PREFIX):
            return False
        try:
            raw = base64.b64decode(sealed.removeprefix(PREFIX), validate=True)
            return self._ciphers[0].decrypt(raw[:12], raw[12:], place.encode()) == value.encode()
        except (InvalidTag, ValueError):
            return False

    def open(self, value: str, place: str) -> str:
        """Return the plain value. Raises BadSecret."""
        if value.startswith("env:"):
            return _variable(value.removeprefix("env:"), place)
        if value.startswith("file:"):
            return self._file(value.removeprefix("file:"), place)
        if not value.startswith(PREFIX):
            return value
        for cipher in self._ciphers:
            try:
                raw = base64.b64decode(value.removeprefix(PREFIX), validate=True)
                return cipher.decrypt(raw[:12], raw[12:], place.encode()).decode()
            except (InvalidTag, ValueError):
                continue
        raise BadSecret(place, f"none of {KEYS} opens this secret")

    def _file(self, name: str, place: str) -> str:
        """Return what a file holds. Where it leads must be within the folder that it lies in."""
        path = self._within(name)
        if path is None:
            folders = ", ".join(str(folder) for folder in self._folders) or "no folder"
            raise BadSecret(
                place,
                f"file: may name files directly in {folders} only; put the secret there, or name "
                f"its folder in {OWN}SECRETS_DIR",
                "secret_file_outside",
                folders=folders,
            )
        try:
            if path.is_file() and path.stat().st_size <= LARGEST:
                return path.read_text(encoding="utf-8").strip()
            why = f"is no file of at most {LARGEST} bytes"
        except OSError as fault:
            why = f"cannot be read: {fault.strerror}"
        except UnicodeDecodeError:
            why = "holds no text"
        raise BadSecret(place, f"{name} {why}", "secret_file_unreadable", path=name)

    def _within(self, name: str) -> Path | None:
        try:
            path, here = Path(name).resolve(), Path(name).parent.resolve()
            home = any(here == folder.resolve() for folder in self._folders)
        except (OSError, ValueError, RuntimeError):
            return None
        return path if home and path.is_relative_to(here) else None


def _variable(name: str, place: str) -> str:
    if not is_account_secret(name):
        reason = f"env: may only name variables in capitals that begin with {ACCOUNT_SECRET}, "
        reason += f"and not {KEYS}"
        raise BadSecret(place, reason, "secret_env_name", prefix=ACCOUNT_SECRET)
    if name not in os.environ:
        reason = f"the environment has no {name}; set it where the hub is started"
        raise BadSecret(place, reason, "secret_env_unset", name=name)
    return os.environ[name]

"""Secrets of accounts: AES-GCM under rotating keys, or a pointer to the environment or a file."""

import base64
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PREFIX = "enc:v1:"


class BadSecret(Exception):
    """A secret cannot be read; the text says which kind and what to do, never the value."""


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
            raise BadSecret(f"MADOGUCHI_SECRET_KEYS: key {number} is not base64") from wrong
        if len(key) != 32:
            raise BadSecret(f"MADOGUCHI_SECRET_KEYS: key {number} must have 32 bytes")
        keys.append(key)
    if not keys:
        raise BadSecret("MADOGUCHI_SECRET_KEYS: at least one key is needed")
    return keys


class Vault:
    """Encrypts with the first key, decrypts with any; each value is bound to its ``place``."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = [AESGCM(key) for key in keys]
        self._keys = list(keys)

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
            name = value.removeprefix("env:")
            if name not in os.environ:
                raise BadSecret(f"{place}: the environment has no {name}")
            return os.environ[name]
        if value.startswith("file:"):
            path = Path(value.removeprefix("file:"))
            try:
                return path.read_text(encoding="utf-8").strip()
            except OSError as fault:
                raise BadSecret(f"{place}: cannot read {path}: {fault.strerror}") from fault
            except UnicodeDecodeError as wrong:
                raise BadSecret(f"{place}: {path} holds no text") from wrong
        if not value.startswith(PREFIX):
            return value
        for cipher in self._ciphers:
            try:
                raw = base64.b64decode(value.removeprefix(PREFIX), validate=True)
                return cipher.decrypt(raw[:12], raw[12:], place.encode()).decode()
            except (InvalidTag, ValueError):
                continue
        raise BadSecret(f"{place}: none of MADOGUCHI_SECRET_KEYS opens this secret")

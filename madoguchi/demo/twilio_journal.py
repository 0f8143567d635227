"""The fake provider's memory: one line of JSON for each state of a message."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from madoguchi.demo.twilio_message import Message

_MESSAGE = TypeAdapter(Message)


class Journal:
    """Keeps messages in a file, so that the provider outlives a restart of the hub."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def load(self) -> dict[str, Message]:
        """Return the last state of every message, oldest first; a torn last line is left out."""
        found: dict[str, Message] = {}
        if self._path is None or not self._path.exists():
            return found
        for line in self._path.read_bytes().splitlines():
            try:
                message = _MESSAGE.validate_json(line)
            except ValidationError:
                continue
            found[message.sid] = message
        return found

    def add(self, message: Message) -> None:
        """Append a message's new state."""
        if self._path is None:
            return
        with self._path.open("ab") as file:
            file.write(orjson.dumps(_plain(message)) + b"\n")


def _plain(message: Message) -> dict[str, Any]:
    found = asdict(message)
    body = found["body"].encode("utf-8", "replace").decode()
    return {**found, "body": body}

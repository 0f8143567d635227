"""``madoguchi inspect``: what a channel's parse makes of an event that lies in a file."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from connectors.registry import kinds
from madoguchi.clock import Clock
from madoguchi.model.inbound import ProviderEvent


def inspect_file(channel: str, path: Path) -> dict[str, Any]:
    """Return the meaning of one file's event; faults become an entry, never an exception."""
    kind = kinds().get(channel)
    if kind is None:
        return {"file": str(path), "error": f"no channel {channel!r}; known: {sorted(kinds())}"}
    try:
        event = ProviderEvent(path.stem, "inspect", "message", path.read_bytes(), Clock().now())
        connector = kind.__new__(kind)
        found = [{"type": type(one).__name__, **asdict(one)} for one in connector.parse(event)]
    except Exception as fault:  # noqa: BLE001 - the command promises never to raise
        return {"file": str(path), "error": f"{type(fault).__name__}: {fault}"}
    return {"file": str(path), "inbound": found}

"""The servers by which two browsers find each other, and their passes.

A TURN server with a shared secret takes names that say until when they hold, signed with the secret
(draft-uberti-behave-turn-rest-00; coturn's ``use-auth-secret``).
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from madoguchi.clock import Clock

HOLDS_S = 12 * 3600
"""So long a pass holds: longer than a call."""


@dataclass(frozen=True)
class Ice:
    """What the settings name: STUN and TURN addresses, and the TURN server's secret."""

    clock: Clock
    stun: Sequence[str] = ()
    turn: Sequence[str] = ()
    secret: str = ""

    def servers(self, who: str) -> list[dict[str, Any]]:
        """Return ``iceServers`` for one browser (RTCConfiguration, W3C WebRTC 1.0)."""
        found: list[dict[str, Any]] = [{"urls": list(self.stun)}] if self.stun else []
        if self.turn:
            until = int(self.clock.now().timestamp()) + HOLDS_S
            name = f"{until}:{who}"
            mac = hmac.new(self.secret.encode(), name.encode(), hashlib.sha1).digest()
            credential = base64.b64encode(mac).decode()
            found.append({"urls": list(self.turn), "username": name, "credential": credential})
        return found

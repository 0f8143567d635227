"""Recordings as Twilio keeps them: of messages after the tone, and of calls. No I/O.

Sources: the public description twilio_api_v2010.json (Recordings of calls);
twilio.com/docs/voice/api/recording.
"""

import struct
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from madoguchi.demo.twilio_call import Form, new_sid
from madoguchi.demo.twilio_message import VERSION

LIVING = frozenset({"in-progress", "paused"})
MESSAGE, BY_API = "RecordVerb", "StartCallRecordingAPI"


@dataclass(slots=True)
class Recording:
    """What a caller said after the tone, or what was recorded of a call. ``seconds``: its length
    without what is being recorded ``since`` a moment; ``events``: of which ``callback`` hears.
    """

    account: str
    call: str
    created: datetime
    seconds: int = 0
    text: str = ""
    sid: str = field(default_factory=lambda: new_sid("RE"))
    source: str = MESSAGE
    status: str = "completed"
    since: datetime | None = None
    callback: str = ""
    events: frozenset[str] = frozenset({"completed"})
    skips: bool = False

    def move(self, status: str, now: datetime) -> None:
        """Go on, pause or end; nothing is heard of what is said in a pause."""
        if self.since is not None and (self.status == "in-progress" or not self.skips):
            self.seconds += int((now - self.since).total_seconds())
        self.since = now if status in LIVING else None
        self.status = status

    def url(self, base: str) -> str:
        """Return where its sound lies."""
        return f"{base}/{VERSION}/Accounts/{self.account}/Recordings/{self.sid}"

    def sound(self) -> bytes:
        """Return a silence of its length, as a WAV file."""
        body = b"\x80" * (8000 * self.seconds)
        head = struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
        chunks = b"WAVEfmt " + head + b"data" + struct.pack("<I", len(body)) + body
        return b"RIFF" + struct.pack("<I", len(chunks)) + chunks

    def form(self, base: str) -> Form:
        """Return the form of its callback."""
        return [
            ("AccountSid", self.account),
            ("CallSid", self.call),
            ("RecordingSid", self.sid),
            ("RecordingUrl", self.url(base)),
            ("RecordingStatus", self.status),
            ("RecordingDuration", str(self.seconds)),
            ("RecordingChannels", "1"),
            ("RecordingSource", self.source),
            ("RecordingStartTime", format_datetime(self.created)),
        ]

    def resource(self) -> dict[str, Any]:
        """Return Twilio's JSON of a Recording resource."""
        return {
            "account_sid": self.account,
            "api_version": VERSION,
            "call_sid": self.call,
            "channels": 1,
            "conference_sid": None,
            "date_created": format_datetime(self.created),
            "date_updated": format_datetime(self.created),
            "duration": str(self.seconds) if self.status == "completed" else "-1",
            "encryption_details": None,
            "error_code": None,
            "media_url": self.url("https://api.twilio.com"),
            "price": None,
            "price_unit": "JPY",
            "sid": self.sid,
            "source": self.source,
            "start_time": format_datetime(self.created),
            "status": self.status,
            "subresource_uris": {},
            "track": "both",
            "uri": f"/{VERSION}/Accounts/{self.account}/Recordings/{self.sid}.json",
        }

"""Recordings of calls at Twilio: begun, paused, ended, fetched, deleted.

The customer's call is recorded, in one channel: what they say and what they hear, so nothing of
what agents say to each other while the customer is on hold. Sources: the public description
twilio_api_v2010.json (Calls, Recordings), twilio.com/docs/voice/api/recording.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from connectors.base import Take
from connectors.twilio_api import SdkTransport, asked
from madoguchi.model.ids import Id
from madoguchi.model.inbound import Rejected

LIVING = frozenset({"in-progress", "paused"})
GONE = "20404"

Api = Callable[[], tuple[SdkTransport, Any]]


class TwilioTakes:
    """Recordings of one account's calls; ``api`` makes access to Twilio."""

    def __init__(self, api: Api, hook_url: str) -> None:
        self._api = api
        self._hook_url = hook_url

    async def set(self, sid: str, call: Id, name: str, number: str, how: Take) -> None:
        """Let a call be recorded from now on, not for a while, or no more; what is so stays."""
        transport, api = self._api()
        takes = api.calls(sid).recordings
        made = await asked(transport, takes.list_async(limit=50, page_size=50))
        living = next((one for one in made if one.status in LIVING), None)
        if living is None:
            if how == "on":
                await asked(transport, takes.create_async(**self._fields(call, name, number)))
            return
        change = _CHANGES[how]
        if living.status != change["status"]:
            await asked(transport, takes(living.sid).update_async(**change))

    def _fields(self, call: Id, name: str, number: str) -> dict[str, Any]:
        place = urlencode({"call": name, "from": number, "id": call})
        return {
            "recording_status_callback": f"{self._hook_url}/take?{place}",
            "recording_status_callback_event": ["completed", "absent"],
            "recording_channels": "mono",
        }

    async def delete(self, sid: str) -> None:
        """Delete a recording; one that is gone is no fault."""
        transport, api = self._api()
        try:
            await asked(transport, api.recordings(sid).delete_async())
        except Rejected as refused:
            if GONE not in str(refused):
                raise


_CHANGES: Mapping[Take, dict[str, str]] = {
    "on": {"status": "in-progress"},
    # Nothing of a card's number is kept, not even how long its digits took.
    "paused": {"status": "paused", "pause_behavior": "skip"},
    "off": {"status": "stopped"},
}

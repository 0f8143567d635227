"""What the addresses carry that Twilio calls: where a caller is, and which call it is. Pure."""

import base64
import binascii
import zlib
from collections.abc import Mapping

from aiohttp import web
from pydantic import ValidationError

from connectors.base import Refused
from connectors.twilio_api import SID
from madoguchi.flows.turns import State
from madoguchi.model.ids import is_id

STATE_LIMIT = 3000
"""Characters of what an address carries; Twilio takes addresses of about 4,000."""


def xml(document: str) -> web.Response:
    """Return an answer that is TwiML."""
    return web.Response(text=document, content_type="text/xml")


def sid_of(form: Mapping[str, str]) -> str:
    """Return the CallSid of an event. Raises Refused."""
    sid = form.get("CallSid", "")
    if not SID.fullmatch(sid):
        raise Refused("the event has no CallSid")
    return sid


def turn_name(form: Mapping[str, str], state: State) -> str:
    """Return the name of a turn: retries of its webhook have the same."""
    return f"{sid_of(form)}:{state.asked + 1}"


def id_of(query: Mapping[str, str]) -> str:
    """Return the call's id, which stands last in our addresses: the signature joins address and
    form without a mark, so that a recorded request could be cut at another place.
    """
    id = query.get("id", "")
    if not is_id(id):
        raise Refused("the address names no call")
    return id


def packed(state: State) -> str:
    """Return a state as an address carries it."""
    small = zlib.compress(state.model_dump_json(exclude_defaults=True).encode(), 9)
    return base64.urlsafe_b64encode(small).decode()


def state_of(text: str) -> State:
    """Return the state that an address carries. Raises Refused."""
    try:
        large = zlib.decompressobj().decompress(base64.urlsafe_b64decode(text), 64 * 1024)
        return State.model_validate_json(large)
    except (binascii.Error, ValueError, zlib.error, ValidationError) as wrong:
        raise Refused("the address has no state of a flow") from wrong

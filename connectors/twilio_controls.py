"""What the center does to a telephone call at Twilio: hold, mute, coach, call somebody, end.

People of a call take part in the conference that bears the call's id, under labels that are their
legs. All acts may be repeated. Sources: the public description twilio_api_v2010.json (Participants,
Conferences), twilio.com/docs/voice/sdks/access-tokens.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

import aiohttp
from itsdangerous import BadData, URLSafeTimedSerializer
from pydantic import Field, SecretStr
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant

from connectors.base import Refused, Take
from connectors.twilio_api import SdkTransport, TwilioAccess, asked, client
from connectors.twilio_takes import TwilioTakes
from connectors.twilio_told import ENDS
from madoguchi.conversations.calls.dialling import made_here
from madoguchi.conversations.calls.present import Present
from madoguchi.model.calls import CALLER
from madoguchi.model.ids import Id
from madoguchi.model.inbound import Rejected
from unified_profile.identity import Called, called, country_of

TICKET_S = 60
TOKEN_S = 3600
KNOWN = 10_000
GONE = "20404"
OVER = ("21220", GONE)
RING_S = 45
"""So long it rings."""


class TwilioVoiceSettings(TwilioAccess):
    """One Twilio number that takes calls. ``api_key_sid``, ``api_key_secret`` and
    ``twiml_app_sid``: so that agents talk by their browsers. ``dial_countries``: where they may
    call, by default the country of the number. ``edge``: Twilio's place where browsers come in, by
    default the nearest; ``signalling``: another host for that, such as a proxy. ``wait_music`` is
    heard in the line; ``chat_url`` is the page with the chat, of which text messages speak.
    """

    number: str = Field(min_length=1)
    api_key_sid: str = Field("", pattern="^(SK[0-9a-fA-F]{32})?$")
    api_key_secret: SecretStr | None = None
    twiml_app_sid: str = Field("", pattern="^(AP[0-9a-fA-F]{32})?$")
    wait_music: str = Field(
        "https://com.twilio.music.classical.s3.amazonaws.com/BusyStrings.mp3",
        pattern="^https?://",
        max_length=500,
    )
    chat_url: str = Field("", pattern="^(https?://.*)?$", max_length=500)
    edge: str = Field("", pattern="^[a-z0-9-]{0,40}$")
    signalling: str = Field("", pattern="^[A-Za-z0-9.:-]{0,200}$")
    dial_countries: tuple[Annotated[str, Field(pattern="^[A-Z]{2}$")], ...] = ()
    voice_ja: str = Field("Polly.Mizuki", min_length=1, max_length=80)
    voice_en: str = Field("Polly.Joanna", min_length=1, max_length=80)

    @property
    def calls_by_browser(self) -> bool:
        """Whether agents' browsers can come into its calls."""
        return bool(self.api_key_sid and self.api_key_secret and self.twiml_app_sid)


def conference_url(hook_url: str, name: str, number: str, call: Id, rounds: int = 0) -> str:
    """Return where a call's conference is told of; ``rounds``: how many it had before."""
    again = {"rounds": rounds} if rounds else {}
    place = urlencode({"call": name, "from": number, **again, "id": call})
    return f"{hook_url}/conference?{place}"


class Tickets:
    """Lets an agent's browser into one call as one leg, for a minute."""

    def __init__(self, settings: TwilioVoiceSettings) -> None:
        tokens = [settings.previous_auth_token, settings.auth_token]
        keys = [token.get_secret_value() for token in tokens if token is not None]
        self._signer = URLSafeTimedSerializer(keys, salt="twilio-voice")

    def issue(
        self,
        call: Id,
        name: str,
        number: str,
        leg: str,
        agent: Id,
        *,
        muted: bool = False,
        coached: str = "",
    ) -> str:
        """Return a ticket. ``name``: the caller's CallSid, ``number`` theirs; ``coached``: the
        CallSid of the only one who hears the agent.
        """
        kept = {"id": call, "call": name, "number": number, "leg": leg, "agent": agent}
        return self._signer.dumps({**kept, "muted": muted, "coached": coached})

    def opened(self, ticket: str, client: str) -> Mapping[str, Any]:
        """Return what a ticket says, to the one it was given to. Raises Refused."""
        try:
            kept: dict[str, Any] = self._signer.loads(ticket, max_age=TICKET_S)
        except BadData as wrong:
            raise Refused("the ticket does not hold") from wrong
        if client != f"client:{kept['agent']}":
            raise Refused("the ticket is somebody else's")
        return kept


class TwilioControls:
    """Acts on calls of one account; ``sorry`` is the document of last words to who waits."""

    def __init__(
        self,
        settings: TwilioVoiceSettings,
        http: aiohttp.ClientSession,
        hook_url: str,
        sorry: str,
    ) -> None:
        self.tickets = Tickets(settings)
        self._sorry = sorry
        self._settings = settings
        self._http = http
        self._hook_url = hook_url
        self.takes = TwilioTakes(self._api, hook_url)
        self._rooms: dict[Id, str] = {}

    def access_token(self, agent: Id) -> str:
        """Return what an agent's browser signs in with, for an hour. Raises Rejected."""
        settings = self._settings
        if not (settings.api_key_sid and settings.api_key_secret and settings.twiml_app_sid):
            raise Rejected("the account has no API key and TwiML app for browsers")
        token = AccessToken(
            settings.account_sid,
            settings.api_key_sid,
            settings.api_key_secret.get_secret_value(),
            identity=agent,
            ttl=TOKEN_S,
        )
        token.add_grant(VoiceGrant(outgoing_application_sid=settings.twiml_app_sid))
        return str(token.to_jwt())

    def pass_for(self, call: Id, name: str, number: str, leg: str, agent: Id, muted: bool) -> Any:
        """Return ``token`` and ``ticket``: what Twilio's SDK for browsers signs in with, and the
        parameter with which it connects. Raises Rejected.
        """
        ticket = self.tickets.issue(call, name, number, leg, agent, muted=muted)
        settings = self._settings
        return {
            "provider": "twilio",
            "token": self.access_token(agent),
            "ticket": ticket,
            "edge": settings.edge,
            "signalling": settings.signalling,
        }

    def dialled(self, text: str) -> Called:
        """Return a number that this account may call. Raises Rejected."""
        settings = self._settings
        home = country_of(settings.number)
        found = called(text, home)
        if found is None:
            raise Rejected("no number, or one that is dear or of an unknown kind")
        if found.country not in (settings.dial_countries or (home,)):
            raise Rejected(f"the account does not call to {found.country}")
        return found

    async def hold(self, call: Id, leg: str) -> None:
        """Let a leg neither hear nor be heard; they hear our music."""
        await self._change(call, leg, hold=True, hold_url=f"{self._hook_url}/wait")

    async def resume(self, call: Id, leg: str) -> None:
        """Let a leg that was held talk again."""
        await self._change(call, leg, hold=False)

    async def mute(self, call: Id, leg: str, *, muted: bool) -> None:
        """Let nobody hear a leg, or everybody again."""
        await self._change(call, leg, muted=muted)

    async def coach(self, call: Id, leg: str, coached: str | None) -> None:
        """Let only one other leg hear a leg, or all of them."""
        if coached is None:
            await self._change(call, leg, coaching=False)
            return
        other = await self._call_sid(call, coached)
        await self._change(call, leg, coaching=True, call_sid_to_coach=other)

    async def announce(self, call: Id, leg: str) -> None:
        """Let a leg hear that the call is recorded."""
        url = f"{self._hook_url}/announce?{urlencode({'id': call})}"
        await self._change(call, leg, announce_url=url, announce_method="POST")

    async def record(self, call: Id, name: str, number: str, leg: str, how: Take) -> None:
        """Let what the customer's leg says and hears be recorded, not for a while, or no more."""
        sid = name
        if made_here(name):
            try:
                sid = await self._call_sid(call, leg)
            except Rejected as refused:
                if how == "on" or GONE not in str(refused):
                    raise
                return
        await self.takes.set(sid, call, name, number, how)

    async def _call_sid(self, call: Id, leg: str) -> str:
        """Return the call of a leg that is in the conference. Raises Rejected."""
        room = await self._room(call)
        transport, api = self._api()
        found = await asked(transport, api.conferences(room).participants(leg).fetch_async())
        return str(found.call_sid)

    async def ring(self, call: Id, name: str, number: str, leg: str, to: str) -> str:
        """Call a number, or ``client:AGENT``, into a call as one leg; it ends with its customer.
        ``name`` and ``number`` are the caller's, as in a ticket. Return its CallSid.
        """
        fields = {"call": name, "from": number, "leg": leg, "id": call}
        transport, api = self._api()
        making = api.conferences(call).participants.create_async(
            self._settings.number,
            to,
            label=leg,
            early_media=True,
            beep="false",
            end_conference_on_exit=leg == CALLER,
            timeout=RING_S,
            status_callback=f"{self._hook_url}/status?{urlencode(fields)}",
            status_callback_event=["answered", "completed"],
            conference_status_callback=conference_url(self._hook_url, name, number, call),
            conference_status_callback_event=["start", "end", "join", "leave"],
        )
        return str((await asked(transport, making)).call_sid)

    async def let_go(self, call: Id, leg: str, rung: str = "") -> None:
        """Let one leg leave, or ring no longer; who has left already is no fault. ``rung``: the
        CallSid of one who was rung.
        """
        if rung:
            await self._hang_up(rung)
            return
        transport, api = self._api()
        try:
            one = api.conferences(await self._room(call)).participants(leg)
            known = await asked(transport, one.fetch_async())
            if known.status == "connected":
                await asked(transport, one.delete_async())
            else:
                await self._hang_up(str(known.call_sid))
        except Rejected as refused:
            if GONE not in str(refused):
                raise

    async def present(self, call: Id, name: str) -> Present:
        """Return who is in a call now."""
        over, over_at = (False, None) if made_here(name) else await self._over(name)
        self._rooms.pop(call, None)
        transport, api = self._api()
        try:
            room = api.conferences(await self._room(call))
            members = await asked(transport, room.participants.list_async(limit=50))
        except Rejected as refused:
            if GONE not in str(refused):
                raise
            members = []
        legs = {str(one.label): one.status == "connected" for one in members if one.label}
        return Present(over, over_at, legs)

    async def _over(self, name: str) -> tuple[bool, datetime | None]:
        """Return whether a caller's call has ended, and when."""
        transport, api = self._api()
        try:
            own = await asked(transport, api.calls(name).fetch_async())
        except Rejected as refused:
            if GONE not in str(refused):
                raise
            return True, None
        return own.status in ENDS, own.end_time

    async def _hang_up(self, name: str) -> None:
        transport, api = self._api()
        try:
            await asked(transport, api.calls(name).update_async(status="completed"))
        except Rejected as refused:
            if not any(code in str(refused) for code in OVER):
                raise

    async def end(self, call: Id) -> None:
        """End a call for all who are in it; one that is over is no fault."""
        # Who answers after its end opens its conference anew.
        self._rooms.pop(call, None)
        transport, api = self._api()
        try:
            room = await self._room(call)
            await asked(transport, api.conferences(room).update_async(status="completed"))
        except Rejected as refused:
            if GONE not in str(refused):
                raise

    async def send_away(self, name: str) -> None:
        """Let a caller hear last words instead of what they wait for."""
        transport, api = self._api()
        try:
            await asked(transport, api.calls(name).update_async(twiml=self._sorry))
        except Rejected as refused:
            if not any(code in str(refused) for code in OVER):
                raise

    async def _change(self, call: Id, leg: str, **fields: Any) -> None:
        room = await self._room(call)
        transport, api = self._api()
        await asked(transport, api.conferences(room).participants(leg).update_async(**fields))

    async def _room(self, call: Id) -> str:
        """Return the conference of a call that goes on. Raises Rejected."""
        if call in self._rooms:
            return self._rooms[call]
        transport, api = self._api()
        listing = api.conferences.list_async(friendly_name=call, limit=5, page_size=5)
        rooms = [one for one in await asked(transport, listing) if one.status != "completed"]
        if not rooms:
            raise Rejected(f"{GONE}: the call is not at Twilio any more")
        if len(self._rooms) >= KNOWN:
            self._rooms.clear()
        return self._rooms.setdefault(call, str(rooms[0].sid))

    def _api(self) -> tuple[SdkTransport, Any]:
        settings = self._settings
        transport = SdkTransport(self._http, settings.api_base, settings.timeout_s)
        return transport, client(settings, transport)

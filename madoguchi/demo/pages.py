"""The demo's pages: the shop with the widget, and the telephone of a customer."""

import html
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC
from importlib.resources import files
from typing import Any

import orjson
from aiohttp import web

from connectors.web_chat import sign_identity
from madoguchi.clock import Clock
from madoguchi.demo.fake_twilio import FakeTwilio
from madoguchi.demo.twilio_message import Message
from madoguchi.demo.twilio_rules import BODY_LIMIT, Modes
from madoguchi.http.problems import Problem
from madoguchi.http.table import Body, encode, parse_json, read
from madoguchi.i18n import catalogue
from unified_profile.identity import phone

MEMBER = ("c-1024", "佐藤 美咲", "090-5550-0187", "misaki.sato@example.jp")
LANGUAGES = ("ja", "en")
STATIC = {
    "demo.css": "text/css",
    "shop.css": "text/css",
    "phone.css": "text/css",
    "shop.js": "text/javascript",
    "phone.js": "text/javascript",
}
SHOWN = 60

_SLOT = re.compile(r"\{\{([\w.]+)\}\}")


class Texting(Body):
    """An SMS that the customer writes."""

    number: str
    text: str


class DemoPages:
    """The pages and what their scripts ask for."""

    def __init__(self, clock: Clock, twilio: FakeTwilio, shop_secret: str) -> None:
        self._clock = clock
        self._twilio = twilio
        self._secret = shop_secret
        self._words = {language: words_of(language) for language in LANGUAGES}

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes of the pages."""
        return [
            web.get("/demo/shop", self.shop),
            web.get("/demo/shop/identity", self.identity),
            web.get("/demo/phone", self.phone),
            web.get("/demo/phone/messages", self.messages),
            web.post("/demo/phone/send", self.send),
            web.put("/demo/phone/modes", self.modes),
            web.get("/demo/static/{name}", self.static),
        ]

    async def shop(self, request: web.Request) -> web.Response:
        """Return the coffee shop."""
        return self._page(request, "shop")

    async def phone(self, request: web.Request) -> web.Response:
        """Return the customer's telephone."""
        return self._page(request, "phone")

    async def static(self, request: web.Request) -> web.Response:
        """Return a style sheet or a script."""
        name = request.match_info["name"]
        if name not in STATIC:
            raise Problem(404, "not_found", "there is no such file")
        return web.Response(
            body=_file(name),
            content_type=STATIC[name],
            charset="utf-8",
            headers={"Cache-Control": "no-cache"},
        )

    async def identity(self, request: web.Request) -> web.Response:
        """Return what the shop's server signs for its signed-in customer."""
        issued = self._clock.now().astimezone(UTC).isoformat(timespec="seconds")
        names = ("id", "name", "phone", "mail")
        claim = dict(zip(names, MEMBER, strict=True)) | {"issued_at": issued}
        claim["signature"] = sign_identity(self._secret, *MEMBER, issued)
        return _json(claim)

    async def messages(self, request: web.Request) -> web.Response:
        """Return a number's thread, the provider's log and modes; 204: nothing is new."""
        number = _number(request.query.get("number", ""))
        if request.query.get("since") == str(self._twilio.revision):
            return web.Response(status=204)
        return _json(
            {
                "revision": self._twilio.revision,
                "messages": [_shown(m) for m in self._twilio.thread(number)],
                "log": [asdict(e) for e in reversed(list(self._twilio.log)[-SHOWN:])],
                "modes": self._twilio.modes.model_dump(),
                "stopped": number in self._twilio.stopped,
            }
        )

    async def send(self, request: web.Request) -> web.Response:
        """Take an SMS from the customer; answers with what the hub's webhook answered."""
        texting = Texting.model_validate(await _posted(request))
        number = _number(texting.number)
        if not texting.text.strip():
            raise Problem(422, "empty_text", "write something first")
        if len(texting.text) > BODY_LIMIT:
            raise Problem(422, "too_long", f"an SMS has at most {BODY_LIMIT} characters")
        status = await self._twilio.receive(number, texting.text)
        return _json({"status": status})

    async def modes(self, request: web.Request) -> web.Response:
        """Set how the provider behaves."""
        self._twilio.behave(Modes.model_validate(await _posted(request)))
        return web.Response(status=204)

    def _page(self, request: web.Request, name: str) -> web.Response:
        asked = request.query.get("lang", "")
        language = asked if asked in LANGUAGES else _spoken(request.headers.get("Accept-Language"))
        slots = self._words[language] | {
            "lang": language,
            "otherLang": next(one for one in LANGUAGES if one != language),
            "shopNumber": _japanese(self._twilio.number),
            "words": _embedded(self._words[language], f"demo.{name}."),
        }
        text = _SLOT.sub(lambda found: slots[found[1]], _file(f"{name}.html").decode())
        return web.Response(
            text=text,
            content_type="text/html",
            headers={"Cache-Control": "no-cache", "Vary": "Accept-Language"},
        )


def _spoken(accepted: str | None) -> str:
    """Return the first wanted language that we have: English where none is, as at the desk, and
    the shop's own for a program that wants none.
    """
    if not accepted:
        return LANGUAGES[0]
    wanted: list[tuple[float, str]] = []
    for part in accepted.split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            wanted.append((-float(quality or 1), tag.lower().split("-")[0]))
        except ValueError:
            continue
    ranked = sorted((one for one in wanted if one[0] < 0), key=lambda one: one[0])
    return next((tag for _, tag in ranked if tag in LANGUAGES), "en")


def words_of(language: str) -> dict[str, str]:
    """Return the demo's words as dotted names, escaped for HTML."""
    return {f"demo.{k}": html.escape(v) for k, v in _flat(catalogue(language)["demo"], "")}


def _flat(tree: Mapping[str, Any], before: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in tree.items():
        if isinstance(value, dict):
            found += _flat(value, f"{before}{name}.")
        else:
            found.append((f"{before}{name}", value))
    return found


def _embedded(words: Mapping[str, str], prefix: str) -> str:
    """Return a page's words as JSON that may stand in a data block of HTML."""
    own = {
        name.removeprefix(prefix): html.unescape(word)
        for name, word in words.items()
        if name.startswith(prefix)
    }
    return orjson.dumps(own).decode().replace("<", "\\u003c")


def _japanese(number: str) -> str:
    """Return +815031234567 as 050-3123-4567."""
    national = "0" + number.removeprefix("+81")
    return f"{national[:3]}-{national[3:7]}-{national[7:]}"


def _shown(message: Message) -> dict[str, Any]:
    return {
        "sid": message.sid,
        "mine": message.direction == "inbound",
        "text": message.body,
        "media": len(message.media),
        "status": message.status,
        "error": message.error,
        "at": message.created.isoformat(),
        "hook": message.hook,
    }


def _number(text: str) -> str:
    address = phone(text)
    if address is None:
        raise Problem(422, "bad_number", "this is no telephone number")
    return address.value


async def _posted(request: web.Request) -> dict[str, Any]:
    """Return a JSON body; the media type keeps other sites' forms out."""
    if request.content_type != "application/json":
        raise Problem(415, "not_json", "send application/json")
    return parse_json(await read(request))


def _file(name: str) -> bytes:
    return files("madoguchi.demo").joinpath("static", name).read_bytes()


def _json(value: Any) -> web.Response:
    return web.Response(
        body=encode(value),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )

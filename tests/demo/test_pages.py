"""The demo's pages: what they serve, what they refuse, what they pass on."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import orjson
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from connectors.base import Ports
from connectors.web_chat import WebChat
from madoguchi.demo.pages import STATIC, DemoPages, words_of
from madoguchi.http.server import Figures, middleware
from madoguchi.model.channels import Account, Channel
from tests.demo.stage import CUSTOMER, SilentInbox, Stage

SECRET = "the-shop-secret"

Pages = TestClient[web.Request, web.Application]
Open = Callable[[web.Application], Awaitable[Pages]]


@pytest_asyncio.fixture
async def pages(stage: Stage) -> AsyncIterator[Pages]:
    """The pages behind the product's own middleware."""
    app = web.Application(middlewares=[middleware(Figures(CollectorRegistry()))])
    app.add_routes(DemoPages(stage.clock, stage.twilio, SECRET).routes())
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize("page", ["shop", "phone"])
@pytest.mark.parametrize("language", ["ja", "en"])
async def test_pages_are_whole_and_fit_the_security_policy(
    pages: Pages, page: str, language: str
) -> None:
    answer = await pages.get(f"/demo/{page}", params={"lang": language})
    text = await answer.text()
    assert answer.status == 200
    assert f'<html lang="{language}">' in text
    assert "{{" not in text
    assert not re.search(r"\son\w+=|\sstyle=|javascript:", text)
    for tag in re.findall(r"<script[^>]*>", text):
        assert "src=" in tag or 'type="application/json"' in tag
    data = re.search(r'id="words">(.*?)</script>', text)
    assert data is not None
    assert orjson.loads(data[1])
    for path in set(re.findall(r'(?:src|href)="(/demo/static/[^"]+)"', text)):
        assert (await pages.get(path)).status == 200


async def test_japanese_is_the_default_and_both_languages_have_all_words(pages: Pages) -> None:
    text = await (await pages.get("/demo/shop?lang=xx")).text()
    assert '<html lang="ja">' in text
    assert 'src="/widget.js" data-account="shop" async' in text
    japanese, english = words_of("ja"), words_of("en")
    assert set(japanese) == set(english)
    assert all(japanese.values())
    assert all(english.values())


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("en-US,en;q=0.9", "en"),
        ("ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        ("en;q=0.5,ja;q=0.8", "ja"),
        ("fr-FR,fr;q=0.9", "en"),
        ("de,ja;q=0", "en"),
        ("ja;q=x,,;q=,EN-gb", "en"),
        ("", "ja"),
    ],
)
async def test_pages_open_in_the_browsers_language(
    pages: Pages, accepted: str, language: str
) -> None:
    for page in ("shop", "phone"):
        answer = await pages.get(f"/demo/{page}", headers={"Accept-Language": accepted})
        assert f'<html lang="{language}">' in await answer.text()
        assert "Accept-Language" in answer.headers["Vary"]
    chosen = await pages.get("/demo/shop?lang=ja", headers={"Accept-Language": accepted})
    assert '<html lang="ja">' in await chosen.text()


async def test_static_files_are_the_known_ones(pages: Pages) -> None:
    for name, media_type in STATIC.items():
        assert (await pages.get(f"/demo/static/{name}")).content_type == media_type
    for name in ("pages.py", "..%2Fpages.py", "shop.html"):
        assert (await pages.get(f"/demo/static/{name}")).status == 404


async def test_identity_is_what_the_widget_accepts(pages: Pages, stage: Stage) -> None:
    claim = await (await pages.get("/demo/shop/identity")).json()
    assert (claim["id"], claim["phone"]) == ("c-1024", "090-5550-0187")
    account = Account(stage.clock.new_id(), "shop", "web_chat", Channel.CHAT, "shop", "orders")
    ports = Ports(SilentInbox(), stage.http, stage.clock, stage.base)
    chat = WebChat(account, WebChat.Settings.model_validate({"secret": SECRET}), ports)
    assert chat.check_identity(claim, stage.clock.now()) is None
    assert chat.check_identity(claim | {"id": "c-1"}, stage.clock.now()) is not None


async def test_phone_sends_and_shows_both_directions(pages: Pages, stage: Stage) -> None:
    written = {"number": "090-5550-0187", "text": "豆が届きません <b>"}
    sent = await pages.post("/demo/phone/send", json=written)
    assert await sent.json() == {"status": 204}
    await stage.connector().send(stage.outbound("お調べします"))
    await stage.twilio.quiet()
    shown = await (await pages.get("/demo/phone/messages", params={"number": CUSTOMER})).json()
    assert [(m["mine"], m["text"], m["status"]) for m in shown["messages"]] == [
        (True, "豆が届きません <b>", "received"),
        (False, "お調べします", "delivered"),
    ]
    told = [e["what"] for e in shown["log"]]
    assert sorted(told) == ["callback"] * 4 + ["send", "webhook"]
    assert told[-1] == "webhook", "newest first"
    since = {"number": CUSTOMER, "since": str(shown["revision"])}
    assert (await pages.get("/demo/phone/messages", params=since)).status == 204
    other = await pages.get("/demo/phone/messages", params={"number": "080-5550-0142"})
    assert (await other.json())["messages"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"number": "12", "text": "x"}, 422),
        ({"number": CUSTOMER, "text": " "}, 422),
        ({"number": CUSTOMER, "text": "x" * 1601}, 422),
        ({"number": CUSTOMER}, 422),
        ({"number": CUSTOMER, "text": "x", "more": 1}, 422),
        ({"number": CUSTOMER, "text": "\x00"}, 400),
        (["x"], 400),
    ],
)
async def test_phone_refuses_bad_input(
    pages: Pages, stage: Stage, body: object, status: int
) -> None:
    assert (await pages.post("/demo/phone/send", json=body)).status == status
    assert not stage.twilio.messages


async def test_forms_of_other_sites_are_refused(pages: Pages, stage: Stage) -> None:
    form = await pages.post("/demo/phone/send", data={"number": CUSTOMER, "text": "x"})
    assert form.status == 415
    assert (await pages.get("/demo/phone/messages", params={"number": "x"})).status == 422
    assert not stage.twilio.messages


async def test_modes_are_set_from_the_page(pages: Pages, stage: Stage) -> None:
    wanted = {"answer": "429", "retry_after_s": 9, "shuffled": True}
    assert (await pages.put("/demo/phone/modes", json=wanted)).status == 204
    assert (stage.twilio.modes.answer, stage.twilio.modes.shuffled) == ("429", True)
    for wrong in ({"answer": "maybe"}, {"late_s": -1}, {"code": 1}, {"colour": "red"}):
        assert (await pages.put("/demo/phone/modes", json=wrong)).status == 422
    assert (await pages.put("/demo/phone/modes", json={})).status == 204
    assert stage.twilio.modes.answer == "ok"

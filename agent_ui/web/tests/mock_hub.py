"""A hub that exists only for looking at the desk: docs/protocol.md with made-up people, in memory.

`python agent_ui/web/tests/mock_hub.py 8099`, then sign in as `takahashi` or `okamoto`, any password.
`POST /mock/{what}` starts what a page should show: offer, lost, message, typing, viewers, missed.
"""

import asyncio
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import socketio
from aiohttp import web

DESK = Path(__file__).resolve().parents[2] / "static" / "desk"
Json = dict[str, Any]


def now(minus_s: float = 0) -> str:
    """Return a moment before now as the hub writes it."""
    return (datetime.now(UTC) - timedelta(seconds=minus_s)).isoformat().replace("+00:00", "Z")


CHAT = {"text_limit": 4000, "files": True, "typing": True, "delivery_receipts": True,
        "read_receipts": True, "segments": False}
SMS = {"text_limit": 1600, "files": False, "typing": False, "delivery_receipts": True,
       "read_receipts": False, "segments": True}
HUB: Json = {
    "name": "みなと珈琲店",
    "version": "0.1.0",
    "queues": [
        {"key": "orders", "name": "ご注文窓口", "name_en": "Orders", "service_level_s": 180,
         "wrap_up": [{"key": "solved", "name": "解決"}, {"key": "callback", "name": "折り返し"},
                     {"key": "other", "name": "他部署へ"}, {"key": "spam", "name": "迷惑・いたずら"}]},
        {"key": "returns", "name": "返品窓口", "name_en": "Returns", "service_level_s": 300,
         "wrap_up": []},
    ],
    "accounts": [
        {"id": "a-web", "key": "shop-web", "name": "オンラインショップ", "channel": "chat",
         "capabilities": CHAT},
        {"id": "a-sms", "key": "sms", "name": "SMS 050", "channel": "sms", "capabilities": SMS},
    ],
    "skills": [{"key": "returns", "name": "返品"}, {"key": "japanese", "name": "日本語"}],
    "upload_limit": 20 << 20,
    "text_limit": 65536,
}
PEOPLE = [("takahashi", "高橋 直子", ["agent"]), ("nakamura", "中村 彩香", ["agent"]),
          ("liam", "Liam Chen", ["agent"]),
          ("okamoto", "岡本 理恵", ["agent", "supervisor", "administrator"])]


class Hub:
    """Entities, positions and the sockets that follow them."""

    def __init__(self) -> None:
        self.entities: dict[tuple[str, str], Json] = {}
        self.pos = 100
        self.me = "takahashi"
        self.io = socketio.AsyncServer(async_mode="aiohttp")
        self.sockets: dict[tuple[str, str], int] = {}
        self.config: dict[tuple[str, str], Json] = {}
        self.versions: list[Json] = []

    def put(self, entity: str, view: Json) -> Json:
        """Keep a view and push it."""
        old = self.entities.get((entity, view["id"]))
        view["version"] = (old["version"] if old else 0) + 1
        self.entities[entity, view["id"]] = view
        self.push(entity, view["id"], view["version"], view)
        return view

    def change(self, entity: str, key: str, **values: Any) -> Json:
        """Change some fields of an entity."""
        return self.put(entity, {**self.entities[entity, key], **values})

    def push(self, entity: str, key: str, version: int, view: Json | None) -> None:
        """Send one event to every socket that said hello."""
        self.pos += 1
        for (namespace, sid), prev in self.sockets.items():
            event = {"pos": self.pos, "prev": prev, "type": f"{entity}.changed", "entity": entity,
                     "id": key, "version": version, "view": view, "at": now()}
            asyncio.get_running_loop().create_task(
                self.io.emit("event", event, to=sid, namespace=namespace)
            )
            self.sockets[namespace, sid] = self.pos

    def all(self, *kinds: str) -> list[Json]:
        """Return a snapshot of some kinds."""
        return [{"entity": e, "id": k, "version": v["version"], "view": v}
                for (e, k), v in self.entities.items() if e in kinds]


hub = Hub()


def agent(key: str, name: str, **more: Any) -> Json:
    return {"id": key, "key": key, "name": name, "presence": "available", "reason": "",
            "since": now(6128), "changed_by": None, "changed_by_name": "", "activity": "idle",
            "activity_since": now(130), "used": 0, "reserved": 0, "free": 5, "units": 5,
            "connected": True, "queues": ["orders", "returns"], "skills": {"returns": 4},
            "teams": ["main"], **more}


def customer(key: str, name: str, *identities: tuple[str, str, bool]) -> Json:
    found = [{"id": f"i-{key}-{at}", "scheme": s, "value": v, "verified": ok, "name": name,
              "created_at": now(9e6)} for at, (s, v, ok) in enumerate(identities)]
    return hub.put("customer", {"id": key, "name": name, "language": "ja", "attributes": {},
                                "created_at": "2021-04-12T03:00:00Z", "identities": found})


def conversation(key: str, number: int, person: Json, preview: str, **more: Any) -> Json:
    view = {"id": key, "number": number, "account": "a-web", "channel": "chat", "queue": "orders",
            "state": "open", "subject": "", "language": "ja", "owner": "takahashi",
            "owner_name": "高橋 直子", "last_owner": None, "continues": None, "preview": preview,
            "preview_author": "customer", "identity": person["identities"][0]["id"],
            "customer": {"id": person["id"], "name": person["name"], "language": "ja"},
            "last_at": now(300), "inbound_at": now(300), "inbound_seq": 1, "seen_seq": 1,
            "unanswered_since": None, "context": None, "wrap_up": None, "created_at": now(900),
            "closed_at": None, **more}
    return hub.put("conversation", view)


def item(conv: Json, state: str, **more: Any) -> Json:
    owner = conv["owner"]
    facts = ["last_owner", "skill:returns:4", "free:3/5"]
    began = now(86900 if conv["closed_at"] else 620)
    history = [{"id": f"h-{conv['id']}", "agent": owner, "agent_name": conv["owner_name"],
                "offer": None, "started_at": began, "wrap_up_at": now(48), "ended_at": None,
                "why": "", "facts": facts}] if owner else []
    view = {"id": f"w-{conv['id']}", "conversation": conv["id"], "queue": conv["queue"],
            "channel": conv["channel"], "kind": "text", "state": state, "owner": owner,
            "owner_name": conv["owner_name"], "enqueued_at": now(700), "assigned_at": now(620),
            "topic": "", "priority": 1, "transfer": None, "paused": False, "handover": None,
            "reason": None, "offer": None, "history": history, "closed_at": None, **more}
    return hub.put("item", view)


def message(conv: Json, ago: float, author: str, text: str, **more: Any) -> Json:
    inbound = author == "customer"
    view = {"id": str(uuid.uuid4()), "conversation": conv["id"], "author": author,
            "direction": "in" if inbound else "out", "visibility": "public",
            "channel": conv["channel"], "account": conv["account"],
            "identity": conv["identity"] if inbound else None,
            "agent": None if inbound else "takahashi", "agent_name": "" if inbound else "高橋 直子",
            "parts": [{"type": "text", "text": text}],
            "state": "received" if inbound else "read", "reason": "", "late": False,
            "provider_at": now(ago), "received_at": now(ago), **more}
    return hub.put("message", view)


def offer(person: Json, **more: Any) -> Json:
    number = 48220 + hub.pos
    conv = conversation(f"c-{number}", number, person, "返品したいのですが、手順を教えてください。",
                        owner=None, owner_name="", queue="returns", unanswered_since=now(95))
    item(conv, "offered")
    return hub.put("offer", {
        "id": f"o-{number}", "item": f"w-c-{number}", "conversation": conv["id"], "number": number,
        "agent": hub.me, "agent_name": "", "state": "pending", "reason": "", "winner_name": None,
        "transfer": False, "made_at": now(), "deadline": now(-20), "closed_at": None,
        "queue": "returns", "channel": "chat", "topic": "返品・交換",
        "facts": ["last_owner", "skill:returns:4", "longest_idle", "free:3/5"], "waited_s": 95,
        "enqueued_at": now(95), "preview": conv["preview"], "handover": None,
        "customer": {"id": person["id"], "name": person["name"],
                     "identities": person["identities"]},
        "open": [{"conversation": "x", "number": 2207, "channel": "email", "subject": "返品受付",
                  "preview": "", "state": "open", "owner_name": "中村 彩香", "last_at": now(99999)}],
        "service_level_s": 300, **more})


def seed() -> None:
    for key, name, _ in PEOPLE:
        hub.put("agent", agent(key, name))
    hub.change("agent", "takahashi", used=3, free=2, activity="busy")
    hub.change("agent", "nakamura", used=2, free=3, activity="busy", activity_since=now(52))
    hub.change("agent", "liam", presence="away", reason="lunch", since=now(1450))
    sato = customer("sato", "佐藤 美咲", ("visitor", "v-1", True), ("phone", "+819055500187", True),
                    ("mail", "misaki.sato@example.jp", False))
    yamamoto = customer("yamamoto", "山本 彩", ("visitor", "v-2", False))
    kimura = customer("kimura", "木村 亮太", ("phone", "+819055500142", True))
    midori = customer("midori", "有限会社みどり商店", ("visitor", "v-9", False))
    old = conversation("c-old", 47102, sato, "ポイントの有効期限", state="closed", wrap_up="solved",
                       subject="ポイントの有効期限", closed_at=now(86400), last_at=now(86400))
    message(old, 87000, "customer", "ポイントはいつまで使えますか？")
    message(old, 86500, "agent", "来年の 3 月末までお使いいただけます。")
    item(old, "done", closed_at=now(86400))
    conv = conversation("c-sato", 48213, sato, "今日中に届きますでしょうか？", subject="お届け日の変更",
                        inbound_seq=3, seen_seq=1, unanswered_since=now(130),
                        context={"page": {"url": "https://shop.example/orders/A-10482",
                                          "title": "ご注文の詳細 A-10482"}})
    item(conv, "assigned")
    message(conv, 640, "customer", "昨日メールした者です。住所の変更は間に合いましたか？")
    message(conv, 560, "agent", "佐藤様、お問い合わせありがとうございます。新しいご住所で出荷しております。"
            "ご安心ください。くわしくは https://shop.example/orders/A-10482 をご覧ください。")
    message(conv, 500, "agent", "伝票 4512 の到着予定を確認お願いします。", visibility="internal")
    message(conv, 180, "customer", "ありがとうございます！")
    message(conv, 130, "customer", "今日中に届きますでしょうか？", parts=[
        {"type": "text", "text": "今日中に届きますでしょうか？"},
        {"type": "file", "file": "f1", "name": "転居届.pdf", "media_type": "application/pdf",
         "size": 84000}])
    late = conversation("c-yama", 48190, yamamoto, "写真を送りました。色が違うようです",
                        inbound_seq=2, unanswered_since=now(392))
    item(late, "assigned")
    message(late, 392, "customer", "写真を送りました。色が違うようです")
    sms = conversation("c-kimu", 48177, kimura, "ご連絡ありがとうございます。", account="a-sms",
                       channel="sms", state="waiting_customer", last_at=now(1080))
    item(sms, "assigned")
    message(sms, 3000, "customer", "受け取りは明日でもいいですか")
    message(sms, 1080, "agent", "お届けは 18 時以降です。", state="failed", reason="invalid_recipient")
    message(sms, 1000, "agent", "ご確認をお願いします。", state="unknown")
    hub.put("draft", {"id": "c-kimu:takahashi", "conversation": "c-kimu", "mode": "reply",
                      "text": "ご連絡ありがとうございます。明日の午前中に", "at": now(60)})
    wrap = conversation("c-wrap", 48150, midori, "ありがとうございました", subject="見積書の件")
    item(wrap, "wrap_up")
    message(wrap, 300, "customer", "ありがとうございました")
    for at in range(3):
        free = conversation(f"c-free{at}", 48300 + at, midori, "在庫はありますか", owner=None,
                            owner_name="", queue="returns", unanswered_since=now(60 + 90 * at))
        blocked = {"blocked": True, "facts": ["missing_skill:returns:5"]} if at == 2 else None
        item(free, "waiting", reason=blocked)
        message(free, 60 + 90 * at, "customer", "在庫はありますか")


routes = web.RouteTableDef()


def session() -> Json:
    name, roles = next((n, r) for k, n, r in PEOPLE if k == hub.me)
    me = {"id": hub.me, "key": hub.me, "name": name, "language": "ja", "roles": roles,
          "queues": ["orders", "returns"], "teams": [], "units": 5}
    return {"csrf": "t", "me": me, "hub": HUB}


def problem(status: int, code: str, **facts: Any) -> web.Response:
    return web.json_response({"code": code, "detail": code, **facts}, status=status,
                             content_type="application/problem+json")


@routes.get("/api/v1/session")
async def read_session(request: web.Request) -> web.Response:
    if "s" not in request.cookies:
        return problem(401, "not_signed_in")
    return web.json_response(session())


@routes.post("/api/v1/session")
async def sign_in(request: web.Request) -> web.Response:
    body = await request.json()
    if body["name"] not in {p[0] for p in PEOPLE}:
        return problem(401, "wrong_password")
    if body["password"] == "many":
        return problem(429, "too_many", retry_after_s=30)
    hub.me = body["name"]
    answer = web.json_response({"csrf": "t", "agent": hub.me})
    answer.set_cookie("s", hub.me)
    return answer


@routes.delete("/api/v1/session")
async def sign_out(_: web.Request) -> web.Response:
    answer = web.Response(status=204)
    answer.del_cookie("s")
    return answer


@routes.get("/api/v1/conversations/{id}/timeline")
async def timeline(request: web.Request) -> web.Response:
    this = hub.entities["conversation", request.match_info["id"]]
    family = [c for (e, _), c in hub.entities.items()
              if e == "conversation" and c["customer"]["id"] == this["customer"]["id"]]
    ids = {c["id"] for c in family}
    entries = [m for (e, _), m in hub.entities.items() if e == "message" and m["conversation"] in ids]
    items = [w for (e, _), w in hub.entities.items() if e == "item" and w["conversation"] in ids]
    entries.sort(key=lambda m: m["received_at"])
    return web.json_response({"entries": entries, "conversations": family, "items": items,
                              "before": None})


@routes.get("/api/v1/conversations/{id}")
async def one(request: web.Request) -> web.Response:
    found = hub.entities.get(("conversation", request.match_info["id"]))
    return web.json_response(found) if found else problem(404, "not_found")


@routes.post("/api/v1/conversations/{id}/messages")
async def say(request: web.Request) -> web.Response:
    body, conv = await request.json(), hub.entities["conversation", request.match_info["id"]]
    if body["text"] == "拒否":
        return problem(403, "forbidden")
    if body["text"] == "衝突" and body.get("newest"):
        newer = message(conv, 8, "agent", "本日 19 時ごろのお届けです。置き配も承ります。",
                        agent="nakamura", agent_name="中村 彩香")
        return problem(409, "newer_answer", message=newer)
    internal = body["mode"] == "note"
    made = message(conv, 0, "agent", body["text"], id=body["id"], state="delivered",
                   visibility="internal" if internal else "public")
    if not internal:
        hub.change("conversation", conv["id"], state="waiting_customer", unanswered_since=None,
                   preview=body["text"], preview_author="agent", last_at=now())
    return web.json_response(made, status=201)


@routes.put("/api/v1/conversations/{id}/draft")
async def draft(request: web.Request) -> web.Response:
    body, conv = await request.json(), request.match_info["id"]
    key = f"{conv}:{hub.me}"
    if body["text"]:
        hub.put("draft", {"id": key, "conversation": conv, **body, "at": now()})
    elif old := hub.entities.pop(("draft", key), None):
        hub.push("draft", key, old["version"] + 1, None)
    return web.json_response({"version": 1})


@routes.post("/api/v1/offers/{id}/accept")
async def accept(request: web.Request) -> web.Response:
    await asyncio.sleep(0.4)
    this = hub.change("offer", request.match_info["id"], state="accepted")
    conv = hub.change("conversation", this["conversation"], owner=hub.me, owner_name="高橋 直子")
    message(conv, 95, "customer", conv["preview"])
    item(conv, "assigned")
    return web.json_response({"conversation": conv["id"]})


@routes.post("/api/v1/offers/{id}/decline")
async def decline(request: web.Request) -> web.Response:
    hub.change("offer", request.match_info["id"], state="declined")
    return web.Response(status=204)


@routes.post("/api/v1/conversations/{id}/{act:(take|end|wrap-up|transfer)}")
async def act(request: web.Request) -> web.Response:
    key, what, body = request.match_info["id"], request.match_info["act"], {}
    if request.can_read_body:
        body = await request.json()
    conv = hub.entities["conversation", key]
    if what == "end" and body["inbound_seq"] < conv["inbound_seq"]:
        return problem(409, "newer_inbound")
    if what == "take":
        item(hub.change("conversation", key, owner=hub.me, owner_name="高橋 直子"), "assigned")
    elif what == "end":
        item(conv, "wrap_up")
    elif what == "wrap-up":
        item(hub.change("conversation", key, state="closed", closed_at=now(),
                        wrap_up=body.get("code")), "done", closed_at=now())
    else:
        given = {"id": "t", "agent": body.get("agent", ""), "agent_name": "中村 彩香",
                 "deadline": now(-60), "transfer": True}
        hub.change("item", f"w-{key}", transfer="direct", offer=given)
    return web.Response(status=204)


@routes.get("/api/v1/conversations/{id}/explain")
async def explain(_: web.Request) -> web.Response:
    return web.json_response({"facts": ["last_owner", "skill:returns:4", "free:3/5"], "candidates": [
        {"agent": "takahashi", "agent_name": "高橋 直子", "obstacle": None},
        {"agent": "liam", "agent_name": "Liam Chen", "obstacle": "presence"},
        {"agent": "nakamura", "agent_name": "中村 彩香", "obstacle": "skill:returns:4"}]})


@routes.get("/api/v1/agents")
async def agents(_: web.Request) -> web.Response:
    return web.json_response({"agents": [v["view"] for v in hub.all("agent")]})


@routes.put("/api/v1/agents/{id}/presence")
async def presence(request: web.Request) -> web.Response:
    key = request.match_info["id"]
    hub.change("agent", hub.me if key == "me" else key, since=now(), **await request.json())
    return web.Response(status=204)


@routes.put("/api/v1/agents/{id}/capacity")
async def capacity(request: web.Request) -> web.Response:
    hub.change("agent", request.match_info["id"], **await request.json())
    return web.Response(status=204)


@routes.get("/api/v1/customers/{id}/suggestions")
async def suggestions(request: web.Request) -> web.Response:
    if request.match_info["id"] != "yamamoto":
        return web.json_response({"customers": []})
    sato = hub.entities["customer", "sato"]
    return web.json_response({"customers": [{**sato, "why": "mail"}]})


@routes.get("/api/v1/customers/{id}")
async def read_customer(request: web.Request) -> web.Response:
    return web.json_response(hub.entities["customer", request.match_info["id"]])


@routes.post("/api/v1/files")
async def files(request: web.Request) -> web.Response:
    part = await (await request.multipart()).next()
    data = await part.read()
    return web.json_response({"id": str(uuid.uuid4()), "name": part.filename,
                              "media_type": "text/plain", "size": len(data)}, status=201)


@routes.get("/api/v1/config")
async def config(_: web.Request) -> web.Response:
    return web.json_response({"number": 14, "objects": list(hub.config.values())})


@routes.get("/api/v1/config/versions")
async def versions(_: web.Request) -> web.Response:
    return web.json_response({"versions": hub.versions})


@routes.put("/api/v1/config/{kind}/{key}")
async def save(request: web.Request) -> web.Response:
    body, ref = await request.json(), (request.match_info["kind"], request.match_info["key"])
    old = hub.config.get(ref)
    if old and request.headers.get("If-Match", "").strip('"') != str(old["version"]):
        return problem(412, "moved_on", version=old["version"], body=old["body"])
    if not body["body"].get("name"):
        return problem(422, "invalid", faults=[{"place": "name", "message": "at least 1 character"}])
    hub.config[ref] = {"kind": ref[0], "key": ref[1], "id": ref[1], "body": body["body"],
                       "version": (old["version"] if old else 0) + 1}
    hub.versions.insert(0, {"number": 15 + len(hub.versions), "author": "okamoto", "author_name": "岡本 理恵",
                            "at": now(), "reason": body["reason"],
                            "changes": [{"kind": ref[0], "key": ref[1], "act": "changed", "fields": {
                                name: [old and old["body"].get(name), value]
                                for name, value in body["body"].items()
                                if not old or old["body"].get(name) != value}}]})
    return web.json_response(hub.config[ref])


@routes.get("/api/v1/config/{kind}/{key}")
async def one_object(request: web.Request) -> web.Response:
    return web.json_response(hub.config[request.match_info["kind"], request.match_info["key"]])


@routes.get("/api/v1/config.toml")
async def toml(_: web.Request) -> web.Response:
    return web.Response(text='[queue.orders]\nname = "ご注文窓口"\n', content_type="application/toml")


@routes.post("/api/v1/config/apply")
async def apply(_: web.Request) -> web.Response:
    return web.json_response({"number": 16, "diff": [
        {"kind": "queue", "key": "orders", "act": "changed", "fields": {"priority": [1, 5]}}]})


@routes.get("/api/v1/deadletters")
async def deadletters(_: web.Request) -> web.Response:
    return web.json_response({"deadletters": [
        {"id": 7, "account": "sms", "kind": "message", "event_id": "SM1234", "lane": "+819055500142",
         "received_at": now(4000), "attempts": 3, "error": "ValueError: unknown field NumMedia",
         "head": "MessageSid=SM1234&NumMedia=x&Body=%E3%81%93%E3%82%93"}]})


@routes.post("/mock/{what}")
async def mock(request: web.Request) -> web.Response:
    what = request.match_info["what"]
    conv = hub.entities["conversation", request.query.get("c", "c-sato")]
    if what == "offer":
        made = offer(hub.entities["customer", request.query.get("who", "kimura")],
                     deadline=now(-float(request.query.get("s", "20"))))
        return web.json_response({"id": made["id"]})
    if what == "lost":
        for key in [k for (e, k), v in hub.entities.items() if e == "offer" and v["state"] == "pending"]:
            hub.change("offer", key, state="withdrawn", winner_name="中村 彩香")
    elif what == "message":
        message(conv, 0, "customer", request.query.get("text", "もしもし？"))
        hub.change("conversation", conv["id"], inbound_seq=conv["inbound_seq"] + 1, state="open",
                   preview=request.query.get("text", "もしもし？"), last_at=now(),
                   unanswered_since=conv["unanswered_since"] or now())
    elif what == "typing":
        await hub.io.emit("typing", {"conversation": conv["id"], "who": "customer", "name": "",
                                     "on": True}, namespace="/agent")
    elif what == "viewers":
        viewer = {"id": "nakamura", "name": "中村 彩香", "writing": "writing" in request.query}
        await hub.io.emit("viewers", {"conversation": conv["id"], "viewers": [viewer]},
                          namespace="/agent")
    elif what == "missed":
        hub.change("agent", hub.me, presence="missed", since=now())
    elif what == "many":
        for at in range(int(request.query["n"])):
            message(conv, 100000 - at, "customer" if at % 3 else "agent", f"長い会話の {at} 件目です。")
    return web.json_response({})


@routes.get("/{path:(?!live).*}")
async def page(request: web.Request) -> web.FileResponse:
    file = DESK / request.match_info["path"]
    return web.FileResponse(file if file.is_file() else DESK / "index.html")


def listen(namespace: str) -> None:
    kinds = ("agent", "offer", "conversation", "item", "draft") if namespace == "/agent" else (
        "agent", "offer", "conversation", "item")

    async def hello(sid: str, data: Json) -> Json:
        hub.sockets[namespace, sid] = hub.pos
        entities = [e for e in hub.all(*kinds)
                    if namespace == "/supervisor" or e["entity"] != "agent" or e["id"] == hub.me]
        return {"pos": hub.pos, "now": now(), "mode": "snapshot", "entities": entities}

    async def opened(sid: str, data: Json) -> Json:
        return {"ok": True, "conversations": [data["conversation"]]}

    async def seen(sid: str, data: Json) -> Json:
        hub.change("conversation", data["conversation"], seen_seq=data["inbound_seq"])
        return {"ok": True}

    async def gone(sid: str, *_: Any) -> None:
        hub.sockets.pop((namespace, sid), None)

    async def ignore(sid: str, *_: Any) -> None:
        return None

    for name, handler in (("hello", hello), ("open", opened), ("seen", seen), ("disconnect", gone),
                          ("connect", ignore), ("typing", ignore), ("viewing", ignore), ("close", ignore)):
        hub.io.on(name, handler, namespace=namespace)


def fill_config() -> None:
    for queue in HUB["queues"]:
        body = {"name": queue["name"], "name_en": queue["name_en"], "requires": {"japanese": 2},
                "priority": 1, "agent_choice": "longest_idle", "offer_timeout_s": 20, "misses": 1,
                "transfer_timeout_s": 60, "service_level_s": queue["service_level_s"],
                "wrap_up": queue["wrap_up"]}
        hub.config["queue", queue["key"]] = {"kind": "queue", "key": queue["key"],
                                             "id": queue["key"], "version": 3, "body": body}
    for skill in HUB["skills"]:
        hub.config["skill", skill["key"]] = {"kind": "skill", "key": skill["key"], "id": skill["key"],
                                             "version": 1, "body": {"name": skill["name"]}}
    hub.config["team", "main"] = {"kind": "team", "key": "main", "id": "main", "version": 1, "body": {
        "name": "本店", "serves": [{"queue": "orders", "level": 1}, {"queue": "returns", "level": 2}]}}
    for key, name, roles in PEOPLE:
        body = {"name": name, "mail": f"{key}@minato.example", "language": "ja", "roles": roles,
                "teams": ["main"], "skills": {"returns": 4, "japanese": 5}, "units": 5,
                "per_channel": {}, "active": True}
        hub.config["agent", key] = {"kind": "agent", "key": key, "id": key, "version": 2, "body": body}
    for account in HUB["accounts"]:
        body = {"name": account["name"], "connector": "web_chat", "queue": "orders", "language": "ja",
                "topics": {}, "paused": account["key"] == "sms", "settings": {"token": "<kept>"}}
        hub.config["account", account["key"]] = {"kind": "account", "key": account["key"],
                                                 "id": account["id"], "version": 1, "body": body}


async def beat() -> None:
    while True:
        await asyncio.sleep(15)
        for namespace, sid in list(hub.sockets):
            data = {"pos": hub.sockets[namespace, sid], "now": now()}
            await hub.io.emit("heartbeat", data, to=sid, namespace=namespace)


async def start() -> web.Application:
    app = web.Application()
    hub.io.attach(app, socketio_path="live")
    for namespace in ("/agent", "/supervisor"):
        listen(namespace)
    seed()
    fill_config()
    app.add_routes(routes)
    app["beat"] = asyncio.get_running_loop().create_task(beat())
    return app


if __name__ == "__main__":
    web.run_app(start(), host="127.0.0.1", port=int(sys.argv[1]))

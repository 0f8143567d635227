"""Twilio's API as all its channels use it: access, signatures, the official SDK, its failures.

Sources: twilio.com/docs/usage/security (signatures), /docs/api/errors (codes).
"""

import base64
import re
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import aiohttp
from multidict import MultiDict
from pydantic import Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from connectors.base import ConnectorSettings, HookRequest, Refused
from madoguchi.model.inbound import AuthFailed, Rejected, RetryLater, UnknownOutcome

API = "https://api.twilio.com"
TIMEOUT_S = 15.0
LONGEST_WAIT_S = 3600.0
DOWNLOAD_S = 120.0
CHUNK = 64 * 1024
WHY = {
    **dict.fromkeys(("21211", "21214", "21217", "21614", "30005"), "invalid_recipient"),
    **dict.fromkeys(("21610", "30004"), "blocked"),
    **dict.fromkeys(("21612", "30003", "30006"), "unreachable"),
}
"""What Twilio's error codes mean to people: https://www.twilio.com/docs/api/errors"""


SID = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}")
"""The signature joins names and values without marks between them: a recorded request could be cut
at other places and pass as a new one. With ids of a fixed form it keeps its id and is dropped.
"""

EXAMPLE = "+815012345678"


T = TypeVar("T")


class TwilioAccess(ConnectorSettings):
    """Access to one Twilio account, and a number of it. Two tokens are valid during a rotation."""

    account_sid: str = Field(pattern="^AC[0-9a-fA-F]{32}$")
    auth_token: SecretStr = Field(min_length=1)
    previous_auth_token: SecretStr | None = None
    number: str = ""
    api_base: str = API
    timeout_s: float = Field(TIMEOUT_S, gt=0, le=60)

    @field_validator("number")
    @classmethod
    def _number(cls, value: str) -> str:
        if value and not (value.startswith("+") and value[1:].isdecimal() and len(value) <= 16):
            raise PydanticCustomError("phone_number", "write it as {example}", {"example": EXAMPLE})
        return value

    @field_validator("api_base")
    @classmethod
    def _base(cls, value: str) -> str:
        if urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).netloc:
            raise PydanticCustomError("web_address", "must be an http(s) address")
        return value.rstrip("/")


class NotSent(Exception):
    """The request never left: sending it again cannot make two messages."""


class SdkTransport(AsyncHttpClient):  # type: ignore[misc]
    """The SDK's HTTP client over the hub's own aiohttp session.

    It sets Authorization itself (the SDK's way is deprecated in aiohttp), sends every request to
    the configured base address, never repeats one, and tells "was not sent" from "no answer".
    ``retry_after_s`` is what the last answer asked for.
    """

    def __init__(self, session: aiohttp.ClientSession, base: str, timeout_s: float) -> None:
        super().__init__(_SILENT, True, timeout_s)
        self.retry_after_s: float | None = None
        self._session = session
        self._timeout_s = timeout_s
        self._base = urlsplit(base)

    async def request(
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the SDK's signature
        allow_redirects: bool = False,
    ) -> Response:
        """Make one request. Raises NotSent, UnknownOutcome."""
        asked = urlsplit(url)
        target = self._base._replace(path=self._base.path + asked.path, query=asked.query)
        sent = dict(headers or {})
        if auth is not None:
            pair = base64.b64encode(f"{auth[0]}:{auth[1]}".encode()).decode()
            sent["Authorization"] = f"Basic {pair}"
        try:
            async with self._session.request(
                method.upper(),
                urlunsplit(target),
                params={k: str(v) for k, v in (params or {}).items()},
                data=_form(data),
                headers=sent,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout or self._timeout_s),
            ) as answer:
                self.retry_after_s = _seconds(answer.headers.get("Retry-After", ""))
                return Response(answer.status, await answer.text(errors="replace"), answer.headers)
        except aiohttp.ClientConnectorError as fault:
            raise NotSent(str(fault)) from fault
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise UnknownOutcome(f"no answer from Twilio: {type(fault).__name__}") from fault


async def downloaded(
    settings: TwilioAccess, session: aiohttp.ClientSession, path: str
) -> AsyncIterator[bytes]:
    """Yield what lies under an account's path, whatever host a webhook names: credentials go to
    the configured one only. Raises RetryLater, AuthFailed, Rejected, UnknownOutcome.
    """
    url = f"{settings.api_base}/2010-04-01/Accounts/{settings.account_sid}/{path}"
    pair = f"{settings.account_sid}:{settings.auth_token.get_secret_value()}"
    headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    limit = aiohttp.ClientTimeout(total=DOWNLOAD_S, sock_read=settings.timeout_s)
    try:
        async with session.get(url, headers=headers, timeout=limit) as answer:
            if answer.status in {401, 403}:
                raise AuthFailed(f"Twilio gives no file: {answer.status}")
            if answer.status in {404, 429} or answer.status >= 500:
                # A recording that has just been told of may not be there yet.
                raise RetryLater(f"Twilio gives no file now: {answer.status}")
            if answer.status != 200:
                raise Rejected(f"Twilio gives no file: {answer.status}")
            async for chunk in answer.content.iter_chunked(CHUNK):
                yield chunk
    except (aiohttp.ClientError, TimeoutError, OSError) as fault:
        raise RetryLater(f"Twilio cannot be reached: {type(fault).__name__}") from fault


def client(settings: TwilioAccess, transport: SdkTransport) -> Client:
    """Return the SDK for an account."""
    token = settings.auth_token.get_secret_value()
    return Client(settings.account_sid, token, http_client=transport)


async def asked(transport: SdkTransport, request: Awaitable[T]) -> T:
    """Return what Twilio answers; all failures are typed.

    Raises RetryLater, AuthFailed, Rejected, UnknownOutcome.
    """
    try:
        return await request
    except (TwilioRestException, TwilioServiceException) as fault:
        raise meaning(fault, transport.retry_after_s) from fault
    except NotSent as fault:
        raise RetryLater(f"Twilio cannot be reached: {fault}") from fault
    except UnknownOutcome:
        raise
    except TwilioException as fault:
        raise _of_a_page(fault, transport.retry_after_s) from fault
    except Exception as fault:
        raise UnknownOutcome(f"Twilio's answer makes no sense: {type(fault).__name__}") from fault


def _of_a_page(fault: TwilioException, retry_after_s: float | None) -> Exception:
    """Return what a list that was refused means: the SDK keeps its answer beside the words."""
    answer = next((each for each in fault.args if isinstance(each, Response)), None)
    if answer is None:
        return UnknownOutcome(f"Twilio's answer makes no sense: {fault}")
    return meaning(
        TwilioRestException(answer.status_code, "", str(answer.text)[:200]), retry_after_s
    )


def check_signature(settings: TwilioAccess, request: HookRequest, form: MultiDict[str]) -> None:
    """Refuse a request that Twilio has not signed with a valid token. Raises Refused."""
    signature = request.headers.get("X-Twilio-Signature", "")
    tokens = [settings.auth_token, settings.previous_auth_token]
    for token in filter(None, tokens):
        try:
            if RequestValidator(token.get_secret_value()).validate(request.url, form, signature):
                return
        except (ValueError, UnicodeError):
            break
    raise Refused(
        "X-Twilio-Signature does not fit; is MADOGUCHI_PUBLIC_URL the address that "
        "Twilio calls, and is the auth token right?"
    )


def meaning(
    fault: TwilioRestException | TwilioServiceException, retry_after_s: float | None
) -> Exception:
    """Return what Twilio's refusal means: one of the typed failures of a sending."""
    said = getattr(fault, "msg", None) or getattr(fault, "detail", None) or ""
    text = f"Twilio {fault.code or fault.status}: {said}"
    if fault.status == 429:
        return RetryLater(text, retry_after_s)
    if fault.status in {401, 403}:
        return AuthFailed(text)
    if 400 <= fault.status < 500:
        return Rejected(f"{why(fault.code or fault.status)}: {said}")
    return UnknownOutcome(text)


def why(code: object) -> str:
    """Return the desk's word for an error code, and the code for who has to ask Twilio."""
    return f"{WHY.get(str(code), 'rejected')}: Twilio {code}"


def _seconds(retry_after: str) -> float | None:
    """Return the seconds of a Retry-After header, None for none or for a date."""
    text = retry_after.strip()
    if not (text.isascii() and text.isdecimal()):
        return None
    return min(float(text[:9]), LONGEST_WAIT_S)


def parsed(body: bytes) -> MultiDict[str]:
    """Return a form as Twilio signed it; duplicate keys stay. The limit of bodies is its limit."""
    return MultiDict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _form(data: dict[str, object] | None) -> str | None:
    if data is None:
        return None
    return urlencode(data, doseq=True)


class _Silent:
    """The SDK logs every request with its content; nothing of it may reach our logs."""

    def info(self, *_: object, **__: object) -> None:
        """Drop a line."""


_SILENT: Any = _Silent()

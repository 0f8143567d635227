"""Normal forms of addresses: what makes two of them the same."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone

from madoguchi.model.people import Address, Scheme

_SEASONS = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@lru_cache(maxsize=10_000)
def phone(text: str, region: str = "JP") -> Address | None:
    """Return the E.164 address of a telephone number as people write it, None if it is none.

    Full-width digits, spaces and ``+81(0)90`` are understood. Short codes and alphanumeric
    senders are no telephone numbers; see :func:`sender`.
    """
    plain = unicodedata.normalize("NFKC", text).replace("(0)", "")
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return Address(
        Scheme.PHONE, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    )


NOT_CALLED = frozenset(
    {
        phonenumbers.PhoneNumberType.PREMIUM_RATE,
        phonenumbers.PhoneNumberType.SHARED_COST,
        phonenumbers.PhoneNumberType.UAN,
        phonenumbers.PhoneNumberType.PERSONAL_NUMBER,
        phonenumbers.PhoneNumberType.PAGER,
        phonenumbers.PhoneNumberType.VOICEMAIL,
    }
)
"""Numbers that cost whoever calls them, or where nobody answers: 0990, 0570, +44 70 and so on."""


NO_COUNTRY = "001"
"""Satellites and the like: they belong to no country, and are dear."""


@dataclass(frozen=True, slots=True)
class Called:
    """A number that customers may be called at.

    ``shown``: as it is written at home, else with its country. ``country`` is that of ISO 3166,
    ``zone`` the tz zone there, "" at home and where nobody can tell it.
    """

    number: str
    shown: str
    country: str
    zone: str


def called(text: str, region: str = "JP") -> Called | None:
    """Return the number at which somebody may be called, None where a text is none, is not in use,
    is short, belongs to no country, or costs whoever calls it.
    """
    address = phone(text, region)
    if address is None:
        return None
    number = phonenumbers.parse(address.value)
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) in NOT_CALLED:
        return None
    country = phonenumbers.region_code_for_number(number) or NO_COUNTRY
    if country == NO_COUNTRY:
        return None
    home = country == region
    form = phonenumbers.PhoneNumberFormat
    shown = phonenumbers.format_number(number, form.NATIONAL if home else form.INTERNATIONAL)
    zone = "" if home else _one_clock(timezone.time_zones_for_number(number))
    return Called(address.value, shown, country, zone)


def country_of(number: str) -> str:
    """Return the country of a number in E.164, "" where it has none."""
    try:
        found = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ""
    return "" if found in {None, NO_COUNTRY} else str(found)


def _one_clock(zones: Sequence[str]) -> str:
    """Return the first of some zones, "" unless the same time is told in all of them."""
    try:
        known = [ZoneInfo(zone) for zone in zones]
    except ZoneInfoNotFoundError:
        return ""
    told = {tuple(day.astimezone(zone).utcoffset() for day in _SEASONS) for zone in known}
    return zones[0] if len(told) == 1 else ""


def sender(text: str, region: str = "JP") -> Address:
    """Return the address of an SMS sender: a number, else the text itself (short codes, names)."""
    return phone(text, region) or Address(Scheme.RAW, clean(text, 320) or "anonymous")


def mail(text: str) -> Address | None:
    """Return a mail address in lower case, None if the text is none."""
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    if len(plain) > 320 or not _MAIL.fullmatch(plain):
        return None
    return Address(Scheme.MAIL, plain)


def clean(text: str, limit: int) -> str:
    """Return a text that every database and page takes: no NUL, no lone surrogates, cut."""
    repaired = text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    return repaired[:limit]

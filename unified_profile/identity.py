"""Normal forms of addresses: what makes two of them the same."""

import re
import unicodedata
from functools import lru_cache

import phonenumbers

from madoguchi.model.people import Address, Scheme

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

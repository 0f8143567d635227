"""Why an event was set aside: a stable code that people read in words, and a technical detail."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class DeadCode(StrEnum):
    """The codes; each has words in the catalogues at ``desk.admin.dead.why``."""

    ACCOUNT_DOWN = "account_down"
    NOT_UNDERSTOOD = "not_understood"
    DATABASE_REFUSED = "database_refused"
    FAILED = "failed"
    """Any other fault on the way into the conversation."""


@dataclass(frozen=True, slots=True)
class DeadReason:
    """A reason as it is stored, in one text: ``code: detail``."""

    code: DeadCode
    detail: str

    @property
    def text(self) -> str:
        """Return what is stored."""
        return f"{self.code}: {self.detail}"

    @classmethod
    def read(cls, text: str | None) -> Self:
        """Return the reason of a stored text; one without a code known here is all detail."""
        code, _, detail = (text or "").partition(": ")
        if code in set(DeadCode):
            return cls(DeadCode(code), detail)
        return cls(DeadCode.FAILED, text or "")

"""How much work a regular expression can be: an upper estimate of RE2's program.

RE2 is linear in the text, but each character may touch every instruction, and counted repetition
multiplies them: ``\\p{L}{1,300}`` took 1.3 s for 1,000 characters. RE2 itself judges the syntax.
"""

import re

ANY = 8
"""``.`` in UTF-8."""

CLASS = 4
"""A small class such as ``\\d``; of a range of other letters, each end."""

NEGATED = 12
"""What a class such as ``\\D`` or ``[^a]`` takes more: all of UTF-8 but for a few."""

NAMED = 2000
"""A Unicode class such as ``\\p{L}``: hundreds of ranges."""

_COUNT = re.compile(r"\{(\d+)(,(\d*))?\}")
_POSIX = re.compile(r"\[:\^?\w+:\]")
_GROUP = re.compile(r"\((\?(P?<\w*>|[imsU-]*:))?")
_ESCAPED = re.compile(r"\\([pP]\{[^}]*\}|[pP].|x\{[0-9a-fA-F]*\}|x[0-9a-fA-F]{2}|.|$)", re.DOTALL)


def size(pattern: str) -> int:
    """Return how many instructions a pattern has at most."""
    return _Reader(pattern).alternatives()


class _Reader:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def alternatives(self) -> int:
        """Read to the end of the group, or of the whole."""
        total = 1
        while self._at < len(self._pattern):
            char = self._pattern[self._at]
            if char == ")":
                break
            if char == "|":
                self._at += 1
                total += 1
            else:
                total += self._repeated()
        return total

    def _repeated(self) -> int:
        cost = self._atom()
        while self._at < len(self._pattern):
            if self._pattern[self._at] in "*+?":
                self._at += 1
                cost += 1
            elif count := _COUNT.match(self._pattern, self._at):
                self._at = count.end()
                cost = cost * max(1, int(count[1]), int(count[3] or 0)) + cost
            else:
                break
        return cost

    def _atom(self) -> int:
        char = self._pattern[self._at]
        if char == "(":
            return self._group()
        if char == "[":
            return self._class()
        if char == "\\":
            return self._escape()
        self._at += 1
        return ANY if char == "." else len(char.encode("utf-8", "replace"))

    def _group(self) -> int:
        opening = _GROUP.match(self._pattern, self._at)
        self._at = opening.end() if opening else self._at + 1
        inside = self.alternatives()
        self._at += 1
        return inside + 2

    def _class(self) -> int:
        self._at += 1
        cost = CLASS
        if self._pattern.startswith("^", self._at):
            cost += NEGATED
            self._at += 1
        first = True
        while self._at < len(self._pattern) and (first or self._pattern[self._at] != "]"):
            first = False
            if posix := _POSIX.match(self._pattern, self._at):
                self._at = posix.end()
                cost += CLASS
            elif self._pattern[self._at] == "\\":
                cost += self._escape()
            else:
                cost += 1 if self._pattern[self._at].isascii() else CLASS
                self._at += 1
        self._at += 1
        return cost

    def _escape(self) -> int:
        escaped = _ESCAPED.match(self._pattern, self._at)
        self._at = escaped.end() if escaped else self._at + 1
        letter = escaped[1][:1] if escaped else ""
        if letter in {"p", "P"}:
            return NAMED
        return CLASS + NEGATED if letter in {"D", "W", "S"} else CLASS

"""Our own words on the telephone, where a flow has none."""

from functools import cache

from madoguchi.i18n import catalogue


@cache
def words(language: str) -> dict[str, str]:
    """Return the words of a language by key."""
    return dict(catalogue(language)["voice"])

"""The languages of the desk and of reports: their words, and who reads which.

The texts in templates and code are English and the keys. `locale/<language>/*.po` beside them holds each
language's words; these files are read without being compiled. Python code marks a text that a page shows
later with `_`.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LANGUAGES: Final = {"en": "English", "zh": "中文"}
DEFAULT: Final = "en"
LOCALES: Final = {"en": "en_GB", "zh": "zh_Hans_CN"}
"""By which Babel writes dates and amounts."""

PLACES: Final = ("consumers.desk", "consumers.reports")
"""Packages with texts, each with its folder `locale`."""

language: ContextVar[str] = ContextVar("language", default=DEFAULT)
"""Of the request that is answered."""


def _(text: str) -> str:
    """Mark a text to be translated where it is shown."""
    return text


@cache
def catalogue(name: str) -> Catalog:
    """Return all words of a language."""
    whole = Catalog(locale=LOCALES[name])
    for place in PLACES:
        folder = files(place).joinpath("locale", name)
        for each in sorted(folder.iterdir(), key=lambda path: path.name) if folder.is_dir() else ():
            if each.name.endswith(".po"):
                for message in read_po(io.BytesIO(each.read_bytes()), locale=LOCALES[name]):
                    if message.id:
                        whole[message.id] = message
    return whole


@cache
def _texts() -> frozenset[str]:
    return frozenset(
        message.id if isinstance(message.id, str) else message.id[0]
        for name in LANGUAGES
        if name != DEFAULT
        for message in catalogue(name)
        if message.id
    )


def is_ours(text: str) -> bool:
    """Return whether a text is one of ours, which all have a translation."""
    return text in _texts()


@cache
def _translations(name: str) -> NullTranslations:
    if name == DEFAULT:
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(name))
    compiled.seek(0)
    return Translations(compiled)


def gettext(text: str) -> str:
    """Return a text in the language of the request."""
    return translated(language.get(), text)


def ngettext(one: str, many: str, count: int) -> str:
    """Return a text in the language of the request, in the form for the count."""
    return translated_plural(language.get(), one, many, count)


def translated(name: str, text: str) -> str:
    """Return a text in a language."""
    return str(_translations(name).ugettext(text))


def translated_plural(name: str, one: str, many: str, count: int) -> str:
    """Return a text in a language, in the form for the count."""
    return str(_translations(name).ungettext(one, many, count))


def choose(*wishes: str | None, accepted: str = "") -> str:
    """Return the first language that is offered, of what was chosen and then of an `Accept-Language` header.

    >>> choose(None, "xx", accepted="fr, zh-CN;q=0.9, en;q=0.8")
    'zh'
    """
    for wish in (*wishes, *_by_weight(accepted)):
        name = (wish or "").partition("-")[0].lower()
        if name in LANGUAGES:
            return name
    return DEFAULT


def _by_weight(accepted: str) -> Iterable[str]:
    weighed: list[tuple[float, str]] = []
    for part in accepted.split(","):
        name, _sep, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1), name))
        except ValueError:
            continue
    return [name for _weight, name in sorted(weighed, key=lambda pair: pair[0])]

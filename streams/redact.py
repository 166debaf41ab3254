"""Texts and addresses without their secrets: each message, log and page that prints one goes through here."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

MASK: Final = "****"

_LONG: Final = r"(?:password|passwd|passphrase|pwd|secret|token|credential)[\w.-]*"
_SHORT: Final = r"(?:pass|key|sig(?:nature)?|auth)(?:[_.-][\w.-]*)?"
_NAME: Final = rf"[\w.-]*(?:{_LONG}|{_SHORT})"
_QUOTED: Final = r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\""
_USER: Final = re.compile(r"(://[^:/@\s]*:)\S*@")
_ASSIGNED: Final = re.compile(rf"(?i)\b({_NAME}\s?=\s?)(?!=)(?:{_QUOTED}|[^&\s]*[^&\s:,;.)\]]|[^&\s]+)")
_ENTRY: Final = re.compile(rf"(?i)(['\"]{_NAME}['\"]\s*:\s*)(?:{_QUOTED})")


def masked(text: str) -> str:
    """Return the text with the passwords of its addresses, and whatever parameter holds a secret, masked.

    >>> masked("postgresql://lapwing:hunter2@db/lapwing?password=hunter3&sslmode=require")
    'postgresql://lapwing:****@db/lapwing?password=****&sslmode=require'
    >>> masked("no answer from host=db password='hunter 2' user=lapwing")
    'no answer from host=db password=**** user=lapwing'
    """
    text = _USER.sub(rf"\1{MASK}@", text)
    text = _ASSIGNED.sub(rf"\1{MASK}", text)
    return _ENTRY.sub(rf'\1"{MASK}"', text)


def without_parts(text: str, url: str) -> str:
    """Return the text in one line without any part of the URL but its scheme: all of it may be secret.

    >>> without_parts("no POST to https://hooks.example/T1234/token", "slack://T1234/token")
    'no POST to https://hooks.example/****/****'
    """
    parts = re.split(r"[:/@?&=#]+", url.partition("://")[2])
    secrets = {form for part in parts for form in (part, unquote(part)) if len(form) > 3}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return " ".join(text.split())[:500]

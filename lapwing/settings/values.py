"""How the values of settings are written, and which are valid."""

from __future__ import annotations

import difflib
import ipaddress
import re
import zoneinfo
from collections.abc import Sequence
from typing import Annotated, Final, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from streams.duration import UNITS, closest_duration, parse_duration

PREFIX: Final = "LAPWING_"
"""What the variables of settings begin with."""

NO_CHECKPOINTS: Final = "none"
SHORTEST_SECRET: Final = 16


def closest(word: str, known: Sequence[str]) -> str | None:
    """Return the known word that was probably meant, if any is near.

    >>> closest("sasl-ssl", ["SSL", "SASL_SSL"])
    'SASL_SSL'
    """
    plain = {each.casefold().replace("_", "-"): each for each in known}
    found = difflib.get_close_matches(word.casefold().replace("_", "-"), plain, n=1)
    return plain[found[0]] if found else None


def meant(word: str, known: Sequence[str]) -> str:
    """Return a hint at the known word that was probably meant."""
    close = closest(word, known)
    return f"; did you mean {close}?" if close else ""


def duration(value: str | int) -> int:
    """Take a duration; where it is none, the error names the one that was probably meant.

    >>> duration("3 dayz")
    Traceback (most recent call last):
    ValueError: '3 dayz' is not a duration; did you mean 3d?
    """
    try:
        return parse_duration(value)
    except ValueError as error:
        close = closest_duration(value) if isinstance(value, str) else None
        if close is None:
            raise
        msg = f"{value!r} is not a duration; did you mean {close}?"
        raise ValueError(msg) from error


def broker_addresses(value: str) -> str:
    """Take `host:port`, or several with commas between them."""
    for address in value.split(","):
        host, _, port = address.strip().rpartition(":")
        if not host or "/" in host or not port.isdecimal() or not 0 < int(port) < 65_536:
            msg = f"{address!r} is not an address: write host:port, or several with commas between them"
            raise ValueError(msg)
    return ",".join(address.strip() for address in value.split(","))


def listen_address(value: str) -> str:
    """Take `host:port` of one address; port 0 is any that is free."""
    host, _, port = value.strip().rpartition(":")
    if not host or "/" in host or not port.isdecimal() or int(port) > 65_535:
        msg = f"{value!r} is not an address: write host:port"
        raise ValueError(msg)
    return value.strip()


def topic_name(value: str) -> str:
    """Take a name that Kafka takes."""
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", value) or value in {".", ".."}:
        msg = f"{value!r} is not a name Kafka takes: letters, digits, '.', '_' and '-' only"
        raise ValueError(msg)
    return value


def zone_name(value: str) -> str:
    """Take a name of the time zone database."""
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        msg = f"{value!r} is no time zone{meant(value, sorted(zoneinfo.available_timezones()))}"
        raise ValueError(msg) from None
    return value


def long_secret(secret: SecretStr) -> SecretStr:
    """Return a secret that nobody guesses."""
    if len(secret.get_secret_value()) < SHORTEST_SECRET:
        msg = f"it should have {SHORTEST_SECRET} characters or more"
        raise ValueError(msg)
    return secret


def currency_word(value: str) -> str:
    """Take a currency as orders name it, such as EUR; case and blanks around it do not count."""
    if not (word := value.strip().upper()):
        msg = "write a currency, such as EUR, or leave it away"
        raise ValueError(msg)
    return word


def place(value: str) -> str:
    """Take a place for checkpoints, or nothing for none."""
    return value.strip() or NO_CHECKPOINTS


def database_url(value: str) -> str:
    """Take what looks like a database's address."""
    if not re.match(r"[a-z][a-z0-9+]*://", value):
        msg = "not a database address: write sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME"
        raise ValueError(msg)
    return value


def web_address(value: str) -> str:
    """Take an address that a browser opens, without the slash at its end."""
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
        msg = f"{value!r} is no web address: write https://HOST or https://HOST/PATH"
        raise ValueError(msg)
    return value.rstrip("/")


def is_safe_address(address: str) -> bool:
    """Return whether a secret may be sent there: by https, or to this machine.

    >>> is_safe_address("http://id.example.org/token"), is_safe_address("http://[::1]:8080/token")
    (False, True)
    """
    url = urlsplit(address)
    if url.scheme == "https" or url.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(url.hostname or "").is_loopback
    except ValueError:
        return False


def header_name(value: str) -> str:
    """Take the name of a header of HTTP.

    >>> header_name("Remote-User")
    'Remote-User'
    """
    if not re.fullmatch(r"[A-Za-z0-9-]{1,100}", value) or value.lower() in (
        "host",
        "cookie",
        "authorization",
    ):
        msg = f"{value!r} is no header that a proxy sends: write its name, such as X-Forwarded-Email"
        raise ValueError(msg)
    return value


def network(value: str) -> str:
    """Take an address or a network, but not the whole world.

    >>> network("10.1.0.0/24")
    '10.1.0.0/24'
    """
    try:
        found = ipaddress.ip_network(value)
    except ValueError as error:
        msg = f"{value!r} is no address and no network: {error}"
        raise ValueError(msg) from None
    if found.prefixlen == 0:
        msg = f"{value!r} is everybody: name the proxies"
        raise ValueError(msg)
    return value


def sweep_interval(value: int) -> int:
    """Take whole days, or a part of a day that divides it."""
    if value < UNITS["m"] or (value % UNITS["d"] and UNITS["d"] % value):
        msg = "sweeps must be whole days apart, or a part of a day that divides it, such as 6h"
        raise ValueError(msg)
    return value


def whole_days(value: int) -> int:
    """Take whole days only."""
    if value % UNITS["d"]:
        msg = "only whole days can be counted"
        raise ValueError(msg)
    return value


def pairs(value: object) -> object:
    """Read `orders=2d,logins=12h`, the form of a table in a variable or a flag."""
    if not isinstance(value, str):
        return value
    found = [pair.partition("=") for pair in value.replace(",", " ").split()]
    if not all(name and sign and text for name, sign, text in found):
        msg = f"{value!r} is not a list of NAME=VALUE with commas between them"
        raise ValueError(msg)
    return {name: text for name, _, text in found}


def by_tier(value: object) -> object:
    """Read `high=4h,medium=2d`, or one duration or number for all tiers."""
    if isinstance(value, int | float) or (isinstance(value, str) and "=" not in value):
        return dict.fromkeys(TIERS, value)
    return pairs(value)


def by_class(value: object) -> object:
    """Read `key=0.4,unknown=0.3`, or one number for all classes.

    >>> by_class("key=0.4, small=0.2")
    {'key': '0.4', 'small': '0.2'}
    """
    if isinstance(value, int | float) or (isinstance(value, str) and "=" not in value and value.strip()):
        return dict.fromkeys(CLASS_WORDS, value)
    return pairs(value)


def words(value: object) -> object:
    """Read a list with spaces between its words."""
    return value.split() if isinstance(value, str) else value


def labels(value: object) -> object:
    """Read a list of topics' labels with commas or spaces between them."""
    return value.replace(",", " ").split() if isinstance(value, str) else value


def each_once(value: tuple[str, ...]) -> tuple[str, ...]:
    """Take at least one word, each once, `orders` before `logins`."""
    if not value:
        msg = "name at least one"
        raise ValueError(msg)
    return tuple(sorted(set(value), reverse=True))


Duration = Annotated[int, BeforeValidator(duration)]
"""Written `2d`, kept as whole microseconds."""
Positive = Annotated[Duration, Field(gt=0)]
TopicName = Annotated[str, AfterValidator(topic_name)]
TierWord = Literal["high", "medium", "low"]
TIERS: Final = get_args(TierWord)
ByTier = Annotated[dict[TierWord, Positive], BeforeValidator(by_tier)]
"""Written `high=4h,low=3d`, or as one duration for all tiers."""


def class_words(value: object) -> object:
    """Read a list of customer classes with spaces or commas between them; `none` is an empty one."""
    if not isinstance(value, str):
        return value
    return () if value.strip() == "none" else value.replace(",", " ").split()


ShareByTier = Annotated[dict[TierWord, Annotated[float, Field(ge=0, le=1)]], BeforeValidator(by_tier)]
"""Written `high=0.1,medium=0.1`, or as one share for all tiers."""
CustomerClass = Literal["key", "ordinary", "small", "problem"]
CLASSES: Final[tuple[str, ...]] = get_args(CustomerClass)
ClassWord = Literal[CustomerClass, "unknown"]
CLASS_WORDS: Final = get_args(ClassWord)
ByClass = Annotated[dict[ClassWord, Annotated[float, Field(ge=0, le=1e6)]], BeforeValidator(by_class)]
"""Written `key=0.4,ordinary=0.3`, or as one number for all classes; `unknown` is who has none."""
Label = Literal["actions", "closures", "complaints", "feedback", "logins", "orders", "profiles"]

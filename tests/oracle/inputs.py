"""What a mapping makes of one record, in plain Python over the YAML: what `streams.inputs` has to do."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pydantic_core

from streams.contract.instants import InstantOutOfRange, NotAnInstant, read_instant
from streams.contract.rejected import RefusalReason

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
END = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
UNITS = {"epoch_s": 10**6, "epoch_ms": 10**3, "epoch_us": 1, "epoch_days": 86_400 * 10**6}
NUMBERS = {"amount", "score", "scale", "satisfaction", "cost"}
INSTANTS = {"occurred_at", "signed_up_at", "contract_ends_at", "until"}
NO_DECIMALS, THREE = {"JPY", "KRW"}, {"KWD"}
CURRENCIES = {"EUR", "USD"} | NO_DECIMALS | THREE
NEEDED = {
    "orders": ("event_id", "customer_id", "occurred_at", "order_id", "amount"),
    "logins": ("event_id", "customer_id", "occurred_at"),
    "profiles": ("event_id", "customer_id", "occurred_at"),
    "complaints": ("event_id", "customer_id", "occurred_at", "complaint_id"),
}
NOT_THERE = "is not there"
NO_CURRENCY = "is no currency of ISO 4217"
WRONG_NUMBER = {
    None: "is no number",
    "point": "is no number with a decimal point, such as 1,234.50",
    "comma": "is no number with a decimal comma, such as 1.234,50",
}


class Refused(Exception):
    """The record is refused: reason and detail."""


@dataclass(frozen=True)
class Verdict:
    """What one record becomes: for each event of the source what it is, `None` where it is none."""

    events: list[dict[str, Any] | None]
    refusal: tuple[str, str] | None
    taken: bool


def judge(name: str, source: dict[str, Any], value: bytes | None) -> Verdict:
    """Return what a source of this name makes of a record."""
    nothing: list[dict[str, Any] | None] = [None] * len(source["events"])
    try:
        record = read(value)
    except Refused as refused:
        return Verdict(nothing, (refused.args[0], f"{name}: {refused.args[1]}"), False)
    events: list[dict[str, Any] | None] = []
    wrong: tuple[str, str] | None = None
    taken = False
    for entry in source["events"]:
        made = None
        if all(holds(condition, at(record, path)) for path, condition in entry.get("where", {}).items()):
            taken = True
            try:
                made = event(entry, record)
            except Refused as refused:
                wrong = wrong or (refused.args[0], f"{name}: {refused.args[1]}")
        events.append(made)
    return Verdict(events, wrong, taken)


def read(value: bytes | None) -> dict[str, Any]:
    if value is None:
        raise Refused(RefusalReason.NO_VALUE, "the record has no value")
    try:
        record = pydantic_core.from_json(value)
    except ValueError as error:
        raise Refused(RefusalReason.NOT_JSON, f"Invalid JSON: {error}") from None
    if not isinstance(record, dict):
        raise Refused(RefusalReason.NOT_OBJECT, "the record is no JSON object")
    return record


class Wrong:
    """A place where no single value is."""

    def __init__(self, why: str) -> None:
        self.why = why


def at(record: Any, path: str) -> Any:
    """Return the text at a path, `None` where nothing is, or what is wrong."""
    found = record
    for step in path.split("."):
        if found is None:
            return None
        if step.isdigit() and isinstance(found, list):
            found = found[int(step)] if int(step) < len(found) else None
        elif not step.isdigit() and isinstance(found, dict):
            found = found.get(step)
        else:
            return Wrong("cannot be reached: what is on the way to it is no object or list of that kind")
    if isinstance(found, dict | list):
        return Wrong("holds a list or an object: name a value in it")
    return text(found)


def text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and math.isfinite(value) and value == int(value) and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def listed(value: Any) -> list[str]:
    return [text(each) or "" for each in (value if isinstance(value, list) else [value])]


def holds(condition: Any, found: Any) -> bool:
    if not isinstance(condition, dict):
        condition = {"is": condition}
    here = None if isinstance(found, Wrong) else found
    number = None if here is None else number_of(here, condition.get("decimal"))
    checks = []
    for word, wanted in condition.items():
        match word:
            case "is":
                checks.append(here in listed(wanted))
            case "not":
                checks.append(here not in listed(wanted))
            case "starts_with":
                checks.append(here is not None and any(here.startswith(each) for each in listed(wanted)))
            case "present":
                checks.append((found is not None) == wanted)
            case "above":
                checks.append(number is not None and number > wanted)
            case "below":
                checks.append(number is not None and number < wanted)
    return all(checks)


def event(entry: dict[str, Any], record: Any) -> dict[str, Any]:
    made = {}
    for name, how in entry["fields"].items():
        value = field(name, {"path": how} if isinstance(how, str) else how, record)
        if value is None and name in NEEDED[entry["to"]]:
            raise Refused(RefusalReason.MISSING_FIELD, f"{origin(name, how)} is not there")
        made[name] = value
    return {name: value for name, value in made.items() if value is not None}


def origin(name: str, how: Any) -> str:
    if isinstance(how, str):
        return f"{name} from {how}"
    paths: Any = next((how[word] for word in ("path", "first_of", "hash", "product") if word in how), [])
    places = paths if isinstance(paths, list) else [paths]
    return f"{name} from {', '.join(places)}" if places else name


def field(name: str, how: dict[str, Any], record: Any) -> Any:
    default = how.get("default")
    value: Any
    if "product" in how:
        value = product(name, how, record)
    else:
        found = words(name, how, source_of(name, how, record))
        if name in NUMBERS:
            value = found if found is None else checked_number(name, how, found)
        elif name == "do_not_contact":
            value = boolean(name, how, found)
        elif name in INSTANTS and "time" in how:
            value = None if found is None else instant(name, how, found)
        else:
            value = found if found is None else how.get("prefix", "") + found
    if name in NUMBERS:
        value = amount(name, how, value, record)
        return default if value is None else value
    if value is not None or default is None:
        return value
    return default if isinstance(default, bool) and name == "do_not_contact" else text(default)


def single(name: str, path: str, record: Any) -> str | None:
    found = at(record, path)
    if isinstance(found, Wrong):
        raise Refused(RefusalReason.WRONG_TYPE, f"{name} from {path} {found.why}")
    assert found is None or isinstance(found, str)
    return found


def source_of(name: str, how: dict[str, Any], record: Any) -> str | None:
    if "constant" in how:
        return text(how["constant"])
    if "path" in how:
        return single(name, how["path"], record)
    if "first_of" in how:
        for path in how["first_of"]:
            if (found := single(name, path, record)) is not None:
                return found
        return None
    parts = [single(name, path, record) for path in how["hash"]]
    if not any(parts):
        return None
    return hashlib.sha256("\x1f".join(part or "" for part in parts).encode()).hexdigest()[:32]


def words(name: str, how: dict[str, Any], found: str | None) -> str | None:
    if found is not None and how.get("trim"):
        found = re.sub("^[ \t\r\n\f\v\u00a0\u2007\u202f\u3000\ufeff]+", "", found)
        found = re.sub("[ \t\r\n\f\v\u00a0\u2007\u202f\u3000\ufeff]+\\Z", "", found) or None
    if found is None:
        return None
    if how.get("lower"):
        found = found.lower()
    if how.get("upper"):
        found = found.upper()
    if how.get("whole") and re.fullmatch(r"-?[0-9]+\.0+", found):
        found = found[: found.index(".")]
    if "map" in how:
        if found not in how["map"] and "otherwise" not in how:
            raise Refused(RefusalReason.UNMAPPED, f"{origin(name, how)} is a word that `map` does not name")
        found = text(how["map"].get(found, how.get("otherwise")))
    return found


def number_of(found: str, decimal: str | None) -> float | None:
    thousands, point = {"comma": (".", ","), "point": (",", "."), None: ("", ".")}[decimal]
    whole, mark, decimals = found.partition(point)
    if decimal is None:
        mantissa, e, power = (
            re.split("([eE])", found, maxsplit=1) if re.search("[eE]", found) else (found, "", "0")
        )
        if e and not re.fullmatch("[+-]?[0-9]{1,4}", power):
            return None
        whole, mark, decimals = mantissa.partition(point)
    digits = whole.removeprefix("-") if whole.startswith("-") else whole.removeprefix("+")
    if thousands and thousands in digits:
        first, *groups = digits.split(thousands)
        if not re.fullmatch("[0-9]{1,3}", first) or not all(re.fullmatch("[0-9]{3}", g) for g in groups):
            return None
    elif not re.fullmatch("[0-9]+", digits):
        return None
    if mark and not re.fullmatch("[0-9]+", decimals):
        return None
    plain = found if decimal is None else found.replace(thousands, "").replace(point, ".")
    number = float(plain)
    return number if math.isfinite(number) else None


def checked_number(name: str, how: dict[str, Any], found: str) -> float:
    number = number_of(found, how.get("decimal"))
    if number is None:
        raise Refused(RefusalReason.WRONG_TYPE, f"{origin(name, how)} {WRONG_NUMBER[how.get('decimal')]}")
    return number


def product(name: str, how: dict[str, Any], record: Any) -> float | None:
    trim = {"trim": how.get("trim")}
    texts = [(path, words(name, trim, single(name, path, record))) for path in how["product"]]
    found: float | None = 1.0
    for path, each in texts:
        if each is not None:
            number = checked_number(name, {"path": path, "decimal": how.get("decimal")}, each)
        found = None if found is None or each is None else found * number
    return found


def amount(name: str, how: dict[str, Any], value: float | None, record: Any) -> float | None:
    currency = how.get("minor_units")
    if isinstance(currency, dict):
        path = currency["path"]
        named = single(name, path, record)
        plain = (words(name, {"trim": True, "upper": True}, named)) if named is not None else None
        if plain is not None and plain not in CURRENCIES:
            raise Refused(RefusalReason.WRONG_VALUE, f"{name} in the currency of {path}, which {NO_CURRENCY}")
        if plain is None and value is not None:
            raise Refused(RefusalReason.MISSING_FIELD, f"{name} in the currency of {path}, which {NOT_THERE}")
        currency = plain
    if value is None:
        return None
    if currency is not None:
        value = value / (1.0 if currency in NO_DECIMALS else 1000.0 if currency in THREE else 100.0)
    return abs(value) if how.get("absolute") else value


def boolean(name: str, how: dict[str, Any], found: str | None) -> bool | None:
    if found is not None and found.lower() not in ("true", "false"):
        raise Refused(RefusalReason.WRONG_TYPE, f"{origin(name, how)} is neither true nor false")
    return None if found is None else found.lower() == "true"


def instant(name: str, how: dict[str, Any], found: str) -> str:
    forms = how["time"] if isinstance(how["time"], list) else [how["time"]]
    for form in forms:
        made = read_form(form, found, how.get("zone", "UTC"))
        if made is None:
            continue
        if not EPOCH <= made <= END:
            raise Refused(RefusalReason.OUT_OF_RANGE, f"{origin(name, how)} lies before 1970 or after 9999")
        return made.isoformat()
    raise Refused(RefusalReason.WRONG_VALUE, f"{origin(name, how)} does not have the form that `time` says")


FAR = EPOCH - timedelta(days=1)
"""Stands for every instant outside of the range."""


def read_form(form: str, found: str, zone: str) -> datetime | None:
    if form == "rfc3339":
        try:
            return read_instant(found)
        except (NotAnInstant, InstantOutOfRange):
            return None
    if form in UNITS:
        if not re.fullmatch(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?", found):
            return None
        us = math.trunc(Fraction(found) * UNITS[form])
        # A microsecond before the epoch that is cut off is the epoch.
        return (
            EPOCH + timedelta(microseconds=us)
            if 0 <= us <= (END - EPOCH) // timedelta(microseconds=1)
            else FAR
        )
    try:
        made = datetime.strptime(found, form)  # noqa: DTZ007  # the zone follows
    except ValueError:
        return None
    if not found.isascii() or any(letter in found for letter in "\n\t"):
        return None  # Python takes digits of any script, and any blank for another
    if made.tzinfo is None:
        made = made.replace(tzinfo=ZoneInfo(zone))
    try:
        return made.astimezone(UTC)
    except OverflowError:
        return FAR

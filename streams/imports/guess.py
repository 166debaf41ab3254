"""Which column of a file of others is which field of an event: by its name and by what stands in it.

Nothing is invented: a field for which no column is found stays open, and each guess says how sure it
is and why.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from streams.imports.sample import Sample

Path = tuple[str, ...]

NAMES: Final[dict[str, tuple[str, ...]]] = {
    "customer_id": (
        *("customer_id", "customer", "customer_no", "customer_number", "client_id", "client", "user_id"),
        *("user", "account_id", "member_id", "buyer_id", "cust_id", "kundennummer", "kunden_nr", "kunde"),
        *("uid", "customer_email", "billing_email", "email", "e_mail", "user_pseudo_id"),
    ),
    "occurred_at": (
        *("occurred_at", "order_date", "ordered_at", "invoice_date", "purchase_date", "transaction_date"),
        *(
            "sale_date",
            "sold_on",
            "sold_at",
            "event_time",
            "event_timestamp",
            "created_at",
            "created",
            "placed_at",
            "timestamp",
            "datetime",
        ),
        *("order_purchase_timestamp", "date", "time", "day", "bestelldatum", "datum"),
    ),
    "order_id": (
        *("order_id", "order_number", "order_no", "order", "invoice_id", "invoice_no", "invoice_number"),
        *("invoice", "transaction_id", "bestellnummer", "rechnungsnummer", "id"),
    ),
    "amount": (
        *("amount", "order_total", "grand_total", "total", "total_price", "total_amount", "order_amount"),
        *("order_value", "net_amount", "gross_amount", "net_total", "gross_total", "amount_paid"),
        *("total_cents", "amount_cents", "revenue", "payment_value", "sales", "dollars", "betrag", "summe"),
    ),
    "complaint_id": ("complaint_id", "ticket_id", "case_id", "case_number", "complaint_no", "ticket"),
    "quantity": ("quantity", "qty", "count", "menge", "anzahl"),
    "unit_price": ("unit_price", "price", "item_price", "einzelpreis", "preis"),
    "currency": ("currency", "currency_code", "order_currency", "waehrung", "currency_iso"),
    "status": ("status", "state", "order_status", "order_state", "financial_status"),
    "channel": ("channel", "sales_channel", "platform", "device", "source"),
    "event_id": ("event_id", "id", "uuid", "message_id"),
}
"""What columns are called that hold a field, the best names first."""

STATUSES: Final = {
    "placed": (
        *("placed", "paid", "completed", "complete", "processing", "shipped", "delivered", "fulfilled"),
        *("approved", "invoiced", "created", "new", "open", "confirmed", "authorized", "bezahlt"),
    ),
    "cancelled": ("cancelled", "canceled", "cancel", "voided", "void", "storniert"),
    "returned": ("returned", "refunded", "return", "refund", "retourniert"),
}
"""The words for what becomes of orders."""
_MOST_WORDS: Final = 20

TIMES: Final = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d",
    "%Y%m%d",
    "%b %d, %Y %I:%M:%S %p",
)
"""The forms of times that are tried, but for RFC 3339 and epochs."""
_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_EPOCHS: Final = {"epoch_s": 1, "epoch_ms": 1_000, "epoch_us": 1_000_000}
_YEARS: Final = (631_152_000, 4_102_444_800)
"""From 1990 to 2100: numbers outside are no times."""
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_COMMA: Final = re.compile(r"-?(\d{1,3}(\.\d{3})+|\d+),\d+")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_TRIED: Final = 1_000
_MOST: Final = 0.97
"""The share of values that have to fit."""

SURE: Final = "sure"
LIKELY: Final = "likely"
UNSURE: Final = "unsure"


@dataclass(frozen=True, slots=True)
class FieldGuess:
    """What a field of an event is taken from."""

    field: str
    paths: tuple[Path, ...]
    """One column, or those whose product or hash it is."""
    kind: str
    """`path`, `product` or `hash`."""
    sure: str
    """`sure`, `likely` or `unsure`."""
    why: str
    time: str | None = None
    words: dict[str, str] | None = None
    """What each word of a status stands for."""
    comma: bool = False
    upper: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class EventGuess:
    """What the rows of a file seem to be."""

    topic: str
    fields: tuple[FieldGuess, ...]
    missing: tuple[str, ...]
    """Fields that the contract needs and for which no column was found."""
    notes: tuple[str, ...] = ()
    group_by: Path | None = None
    present: Path | None = None
    """A column that only those rows have which are whole orders."""


def guess(sample: Sample) -> EventGuess:
    """Return what the rows of a sample seem to be."""
    found = _Columns(sample)
    customer = found.customer()
    at = found.time()
    complaint = found.named("complaint_id")
    if complaint is not None:
        return found.whole("complaints", [customer, at, found.plain("complaint_id", complaint)])
    amount, group, present = found.amount()
    if amount is None:
        return found.whole("logins", [customer, at, found.optional("channel")])
    order = found.order(amount, grouped=group or present is not None)
    fields = [customer, at, order, amount, found.currency(), found.status(), found.optional("channel")]
    by = order.paths[0] if group and order is not None and order.kind == "path" else None
    return found.whole("orders", fields, group_by=by, present=present)


class _Columns:
    """The columns of a sample and which are taken."""

    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        self._values = {
            path: [value.strip() for value in column if value is not None and value.strip()]
            for path, column in sample.columns.items()
        }
        self._taken: set[Path] = set()
        self._notes: list[str] = []

    def named(self, field: str, fits: Callable[[list[str]], bool] | None = None) -> Path | None:
        """Return the free column with the best name for a field whose values fit, `None` without any."""
        for name in NAMES[field]:
            for path, values in self._values.items():
                same = name in (_plain(path[-1]), _plain("_".join(path)))
                if path not in self._taken and values and same and (fits is None or fits(values)):
                    return path
        return None

    def plain(self, field: str, path: Path) -> FieldGuess:
        """Return a field that is as it stands in a column with a name for it."""
        self._taken.add(path)
        return FieldGuess(field, (path,), "path", SURE, f"its name; {self._filled(path)}")

    def optional(self, field: str) -> FieldGuess | None:
        """Return a field of few words, where a column is called so."""
        path = self.named(field, lambda values: len(set(values)) <= _MOST_WORDS)
        if path is None:
            return None
        self._taken.add(path)
        words = len(set(self._values[path]))
        return FieldGuess(field, (path,), "path", LIKELY, f"its name; {words:,} different words")

    def customer(self) -> FieldGuess | None:
        """Return whose the rows are: a column with a name for it."""
        path = self.named("customer_id")
        if path is None:
            return None
        self._taken.add(path)
        values = self._values[path]
        different = len(set(values))
        why = f"its name; {different:,} different in {len(values):,} rows"
        if sum(bool(re.fullmatch(r"\d+\.0", value)) for value in values) > _MOST * len(values):
            return FieldGuess("customer_id", (path,), "path", SURE, f"{why}, written as numbers", whole=True)
        email = "mail" in _plain(path[-1])
        if email:
            self._notes.append("customers are known by their mail address: the ids are personal data")
        return FieldGuess("customer_id", (path,), "path", LIKELY if email else SURE, why)

    def time(self) -> FieldGuess | None:
        """Return when it happened: a column that is called so and holds times, or the only one that does."""
        forms = {path: time_forms(values) for path, values in self._values.items() if path not in self._taken}
        times = {path: form for path, form in forms.items() if form}
        named = self.named("occurred_at", lambda values: bool(time_forms(values)))
        path = named or (next(iter(times)) if len(times) == 1 else None)
        if path is None:
            return None
        self._taken.add(path)
        form, *others = times[path]
        sure = SURE if named is not None else UNSURE
        why = f"{'its name and ' if named is not None else 'the only column with times, of '}its form {form}"
        if others:
            sure = UNSURE
            why += f"; it may as well be {others[0]}: the day and the month cannot be told apart"
        elif form.startswith("%") and "%z" not in form:
            self._notes.append("times name no zone: UTC is taken; write `zone: Europe/Berlin` beside `time`")
        if len(times) > 1:
            other = ", ".join(_shown(each) for each in times if each != path)
            self._notes.append(f"there are other columns with times: {other}")
        return FieldGuess("occurred_at", (path,), "path", sure, why, time=form)

    def amount(self) -> tuple[FieldGuess | None, bool, Path | None]:
        """Return what an order comes to, whether lines are its items, and which only whole orders have."""
        path = self.named("amount", _are_numbers)
        if path is not None:
            self._taken.add(path)
            values = self._values[path]
            column = self._sample.columns[path]
            filled = len(values) / len(column)
            if "cent" in _plain(path[-1]):
                self._notes.append(f"{_shown(path)} may be in cents: then write `minor_units: EUR` beside it")
            present = path if filled < _MOST and self._repeats_without(path) else None
            why = f"its name, and numbers; {self._filled(path)}"
            return FieldGuess("amount", (path,), "path", SURE, why, comma=_with_comma(values)), False, present
        quantity, price = self.named("quantity", _are_numbers), self.named("unit_price", _are_numbers)
        if price is None:
            return None, False, None
        self._taken.update({price} | ({quantity} if quantity is not None else set()))
        comma = _with_comma(self._values[price])
        if quantity is None:
            why = "a price, and no total"
            return FieldGuess("amount", (price,), "path", UNSURE, why, comma=comma), False, None
        why = "a quantity and a price, and no total"
        made = FieldGuess("amount", (quantity, price), "product", LIKELY, why, comma=comma)
        return made, True, None

    def order(self, amount: FieldGuess, *, grouped: bool) -> FieldGuess | None:
        """Return which order it is; without a column for it, the hash of all that is known."""
        path = self.named("order_id")
        if path is not None:
            self._taken.add(path)
            values = self._values[path]
            unique = len(set(values)) == len(values)
            sure = SURE if unique or grouped or _plain(path[-1]) != "id" else UNSURE
            why = "its name; " + ("each once" if unique else f"{len(set(values)):,} in {len(values):,} rows")
            return FieldGuess("order_id", (path,), "path", sure, why)
        known = [each for each in self._sample.columns if each in self._taken]
        if not known:
            return None
        why = "no column names an order: rows that are the same in all of these count once"
        return FieldGuess("order_id", tuple(known), "hash", UNSURE, why)

    def currency(self) -> FieldGuess | None:
        """Return the currency, where a column has codes of currencies."""
        path = self.named("currency", lambda values: _share(values, _is_currency) >= _MOST)
        if path is None:
            self._notes.append(
                "no column names a currency: write `currency: {constant: EUR}` where it is one"
            )
            return None
        self._taken.add(path)
        upper = any(value != value.upper() for value in self._values[path])
        why = f"its name, and codes: {', '.join(sorted(set(self._values[path]))[:3])}"
        return FieldGuess("currency", (path,), "path", SURE, why, upper=upper)

    def status(self) -> FieldGuess | None:
        """Return what became of the order, where a column has words for that."""
        known = {word: status for status, words in STATUSES.items() for word in words}
        path = self.named("status", lambda values: any(value.lower() in known for value in values))
        if path is None or len(set(self._values[path])) > _MOST_WORDS:
            return None
        self._taken.add(path)
        there = Counter(self._values[path])
        words = {word: known[word.lower()] for word in sorted(there) if word.lower() in known}
        others = [word for word in sorted(there) if word not in words]
        why = f"its name; {len(words)} of its {len(there)} words are known"
        if others:
            unknown = ", ".join(others)
            self._notes.append(f"rows are refused with words of {_shown(path)} that are not known: {unknown}")
        return FieldGuess("status", (path,), "path", LIKELY if others else SURE, why, words=words)

    def whole(
        self,
        topic: str,
        guesses: Sequence[FieldGuess | None],
        *,
        group_by: Path | None = None,
        present: Path | None = None,
    ) -> EventGuess:
        """Return the event with an id, and what the contract needs of it and no column has."""
        fields = [each for each in guesses if each is not None]
        needed = {
            "orders": ("customer_id", "occurred_at", "order_id", "amount"),
            "complaints": ("customer_id", "occurred_at", "complaint_id"),
            "logins": ("customer_id", "occurred_at"),
        }[topic]
        there = {each.field for each in fields}
        missing = tuple(name for name in needed if name not in there)
        event = self._event_id(fields)
        if event is None:
            missing = ("event_id", *missing)
        else:
            fields = [event, *fields]
        if topic == "logins" and not missing:
            self._notes.append("no amounts: each row is taken for a visit of the customer (logins)")
        return EventGuess(topic, tuple(fields), missing, tuple(self._notes), group_by, present)

    def _event_id(self, fields: Sequence[FieldGuess]) -> FieldGuess | None:
        """Return the id of the event: a column with a name for it and different values, or a hash."""
        path = self.named("event_id", lambda values: len(set(values)) == self._sample.rows)
        if path is not None:
            return FieldGuess("event_id", (path,), "path", SURE, "its name; each once")
        ids = [each for each in fields if each.field in ("order_id", "complaint_id")]
        status = [path for each in fields if each.field == "status" for path in each.paths]
        others = [
            path for each in fields if each.field in ("customer_id", "occurred_at") for path in each.paths
        ]
        if ids:
            paths = dict.fromkeys([*ids[0].paths, *status])
        elif len(others) > 1:
            paths = dict.fromkeys(others)
        else:
            return None
        why = "no column is an id of the event: these together are one"
        return FieldGuess("event_id", tuple(paths), "hash", LIKELY, why)

    def _filled(self, path: Path) -> str:
        column = self._sample.columns[path]
        return f"in {len(self._values[path]):,} of {len(column):,} rows"

    def _repeats_without(self, path: Path) -> bool:
        """Say whether the rows without a value repeat the order of the row before, as line items do."""
        order = self.named("order_id")
        if order is None:
            return False
        ids, column = self._sample.columns[order], self._sample.columns[path]
        without = [i for i, value in enumerate(column) if not value]
        return sum(i > 0 and ids[i] == ids[i - 1] for i in without) >= _MOST * len(without)


def time_forms(values: Sequence[str]) -> list[str]:
    """Return the forms in which values are times: none, one, or two that cannot be told apart."""
    tried = values[:_TRIED]
    if not tried:
        return []
    if _share(tried, lambda value: _RFC_3339.fullmatch(value) is not None) >= _MOST:
        return ["rfc3339"]
    for form, per_second in _EPOCHS.items():
        if _share(tried, partial(_is_epoch, per_second=per_second)) >= _MOST:
            return [form]
    return [form for form in TIMES if _share(tried, partial(_is_time, form=form)) >= _MOST][:2]


def _is_epoch(value: str, *, per_second: int) -> bool:
    low, high = _YEARS
    return value.isdigit() and low <= int(value) // per_second < high


def _is_time(value: str, *, form: str) -> bool:
    try:
        return datetime.strptime(value, form).year > 1900  # noqa: DTZ007  # only whether it can be read
    except ValueError:
        return False


def _share(values: Sequence[str], fits: Callable[[str], bool]) -> float:
    return sum(map(fits, values)) / len(values) if values else 0.0


def _are_numbers(values: list[str]) -> bool:
    return _share(values, lambda v: bool(_NUMBER.fullmatch(v) or _COMMA.fullmatch(v))) >= _MOST


def _with_comma(values: list[str]) -> bool:
    return any(_COMMA.fullmatch(value) for value in values)


def _is_currency(value: str) -> bool:
    return _CURRENCY.fullmatch(value.upper()) is not None


def _plain(name: str) -> str:
    """Return a name as words in lower case: `InvoiceDate` is `invoice_date`.

    >>> _plain("Order Nr."), _plain("InvoiceDate"), _plain("CustomerID")
    ('order_nr', 'invoice_date', 'customer_id')
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")


def _shown(path: Path) -> str:
    return ".".join(path)

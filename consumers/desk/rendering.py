"""Pages from templates: the environment, the filters, and what every page is given."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_currency, format_decimal, format_percent
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from consumers.contract_words import WORDS
from consumers.desk.addresses import customer_address
from consumers.desk.desk import Desk
from consumers.desk.people.person import Person, Role
from consumers.language import LANGUAGES, LOCALES, _, gettext, is_ours, language, ngettext
from consumers.reason_words import reason_text
from streams.contract.instants import EPOCH

ROLES: Final = {Role.VIEWER: _("viewer"), Role.AGENT: _("agent"), Role.OPERATOR: _("operator")}


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("consumers.desk"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    # The language is that of the request, which the callables look up at each call.
    made.install_gettext_callables(_trusted, ngettext, newstyle=True)  # type: ignore[attr-defined]  # by i18n
    made.filters.update(
        percent=percent,
        amount=amount,
        count=count,
        day=day,
        number=number,
        path=path_part,
        customer_address=customer_address,
        ticked=ticked,
        word=word,
        reason=reason,
    )
    made.globals.update(Role=Role, roles=ROLES, languages=LANGUAGES, asset=asset)
    return made


def _trusted(text: str) -> str:
    """Return a text of ours in the reader's language, and any other as a text that is no HTML.

    Jinja escapes nothing that `_` returns, and a variable may be an error that somebody else wrote.
    """
    return gettext(text) if is_ours(text) else str(escape(text)).replace("%", "%%")


@cache
def _locale_of(name: str) -> Locale:
    return Locale.parse(LOCALES[name])


def _locale() -> Locale:
    return _locale_of(language.get())


# A page has the same amounts and days again and again, and Babel takes its time over each.
@lru_cache(20_000)
def _decimal(value: float, pattern: str | None, locale: Locale) -> str:
    return str(format_decimal(value, format=pattern, locale=locale))


@lru_cache(20_000)
def _currency(value: float, currency: str, locale: Locale) -> str:
    return str(format_currency(value, currency, locale=locale))


@lru_cache(20_000)
def _percent(share: float, pattern: str, locale: Locale) -> str:
    return str(format_percent(share, format=pattern, locale=locale))


@lru_cache(20_000)
def _date(value: date, locale: Locale) -> str:
    return str(format_date(value, format="medium", locale=locale))


@lru_cache(20_000)
def _span(seconds: int, with_direction: bool, locale: Locale) -> str:
    return str(format_timedelta(timedelta(seconds=seconds), add_direction=with_direction, locale=locale))


def percent(share: float | None, digits: int = 0) -> str:
    """Return a share in percent; a dash where it is not known."""
    if share is None or not math.isfinite(share):
        return "–"
    return _percent(share + 0.0, f"0.{'0' * digits}%" if digits else "0%", _locale())


def amount(value: float | None, currency: str | None = None) -> str:
    """Return an amount of money, with its currency where one is set; a dash where it is not known."""
    if value is None or not math.isfinite(value):
        return "–"
    value += 0.0  # there is no amount of minus nothing
    return _currency(value, currency, _locale()) if currency else _decimal(value, "#,##0.00", _locale())


def count(value: float | None) -> str:
    """Return a whole number with its groups of digits."""
    return "–" if value is None else _decimal(round(value), None, _locale())


def number(value: Any) -> str:
    """Return a feature's value: a number with at most four digits that count, or a word."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return _decimal(float(f"{value:.4g}") + 0.0, "#,##0.#########", _locale())
    return count(value) if isinstance(value, int) else str(value)


def day(value: date) -> str:
    """Return a day."""
    return _date(value, _locale())


def reason(each: Any) -> str:
    """Return one of the model's reasons in words, as a step's data has it or as a row of the queue."""
    names = ("feature", "value", "text")
    given = each if isinstance(each, Mapping) else {name: getattr(each, name) for name in names}
    text = reason_text(given, language.get())
    return f"{given['feature']} {number(given['value'])}" if text is None else text


def path_part(text: str) -> str:
    """Return a text as one part of a path."""
    return quote(text, safe="")


def ticked(text: str) -> Markup:
    """Return a text as HTML, with what stands between backticks as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", escape(text)))


def word(text: str | None) -> str:
    """Return a word of the contract in the reader's language; an unknown one as it is."""
    if text is None:
        return "–"
    return gettext(WORDS.get(text, text)) if text else ""


def asset(name: str) -> str:
    """Return the address of a file of ours; another version of it has another address."""
    return f"/static/{name}?v={_fingerprint(name)}"


_fingerprints: dict[str, str] = {}


def _fingerprint(name: str) -> str:
    if name not in _fingerprints:
        content = files("consumers.desk").joinpath("static", *name.split("/")).read_bytes()
        _fingerprints[name] = hashlib.sha256(content).hexdigest()[:12]
    return _fingerprints[name]


class Times:
    """Instants for one reader: by their clock, and beside the desk's."""

    def __init__(self, zone: str, now: datetime) -> None:
        self.zone = zone
        self.now = now
        self._zone = ZoneInfo(zone)

    def local(self, at: datetime) -> datetime:
        """Return the instant by the reader's clock."""
        return at.astimezone(self._zone)

    def day_of(self, at_us: int) -> str:
        """Return the day of an instant in microseconds by the reader's clock."""
        return day(self.local(EPOCH + timedelta(microseconds=at_us)).date())

    def exact(self, at: datetime) -> str:
        """Return day and minute by the reader's clock."""
        return str(format_datetime(self.local(at), "medium", locale=_locale()))

    def relative(self, at: datetime) -> str:
        """Return how long ago, or in how long."""
        gone = at - self.now
        if abs(gone) < timedelta(seconds=30):
            return gettext("now")
        return _span(int(gone.total_seconds()), True, _locale())

    def instant(self, text: str | None) -> datetime | None:
        """Return the instant that a text of the contract is."""
        return None if text is None else datetime.fromisoformat(text)

    def span(self, us: int) -> str:
        """Return a duration, given in microseconds."""
        return _span(us // 1_000_000, False, _locale())

    def shown(self, at: datetime | None) -> Markup:
        """Return an instant as HTML: relative, with the exact time on it."""
        if at is None:
            return Markup("–")
        return Markup('<time datetime="{}" title="{} ({})">{}</time>').format(
            at.isoformat(), self.exact(at), self.zone, self.relative(at)
        )


ENVIRONMENT: Final = _environment()


def zone_of(desk: Desk, person: Person | None) -> str:
    """Return the time zone in which somebody reads."""
    if person is not None and person.time_zone:
        return person.time_zone
    team = person.team if person is not None else None
    return (team.time_zone if team is not None else None) or desk.config.time_zone


def wall_times(request: Request, person: Person | None) -> Times:
    """Return times beside the clock of the machine, for what people did by it."""
    desk: Desk = request.app.state.desk
    return Times(zone_of(desk, person), desk.clock.wall())


def html(request: Request, template: str, **given: Any) -> str:
    """Return a template filled for a request."""
    desk: Desk = request.app.state.desk
    person: Person | None = getattr(request.state, "person", None)
    context = {
        "desk": desk,
        "person": person,
        "language": language.get(),
        "currency": desk.config.currency,
        "path": request.url.path,
        "address": str(request.url.path) + (f"?{request.url.query}" if request.url.query else ""),
        "csrf": getattr(request.state, "csrf", ""),
        "newest": getattr(request.state, "newest", ""),
        "may_sign_out": getattr(getattr(request.state, "visit", None), "by", None) == "session",
        "times": Times(zone_of(desk, person), desk.clock.now()),
        **given,
    }
    return ENVIRONMENT.get_template(template).render(context)


def render(request: Request, template: str, *, code: int = 200, **given: Any) -> HTMLResponse:
    """Return a page, or a part of one, with a status code."""
    return HTMLResponse(html(request, template, **given), code)

"""What is sent: the text that people read and the JSON that a webhook gets, of one step or of several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from consumers.notify.channels import Channel, Markup, as_text
from consumers.notify.facts import Facts, segment_facts, warning_facts
from consumers.notify.templates import Templates
from consumers.notify.words import note_words
from consumers.reports.document import Document
from consumers.reports.formats.page import page
from consumers.reports.formats.plain_text import heading, message_lines
from consumers.reports.period import Period
from streams.contract.instants import format_instant, to_us

_encode: Final[Callable[[object], bytes]] = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message."""

    name: str
    kind: str
    """Its media type."""
    content: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """A title and a body as the channel is to show them, and the same as JSON."""

    title: str
    body: str
    urgent: bool
    id: str = ""
    """The same however often it is sent; another for each channel."""
    payload: bytes = b"{}"
    """What a webhook gets: a CloudEvent in JSON."""
    attachments: tuple[Attachment, ...] = ()
    """For a channel that takes files."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a route wants its messages."""

    language: str = "en"
    template: str | None = None
    time_zone: str = "UTC"
    route: str | None = None
    receiver: str | None = None


@dataclass(frozen=True, slots=True)
class StepContent:
    """A step of a customer's or a segment's warning."""

    id: str
    type: str
    time: datetime
    data: Mapping[str, Any]

    @property
    def is_segment(self) -> bool:
        """Whether it is a segment's."""
        return self.type.startswith("churn.segment.")


@dataclass(frozen=True, slots=True)
class Bundle:
    """Several steps in one message: a daily digest, or what a rate limit gathered."""

    id: str
    kind: str
    """`digest` or `gathered`."""
    at: datetime
    """When it was made."""
    steps: Sequence[StepContent]
    day: date | None = None
    part: int = 1
    parts: int = 1
    total: int = 0


@dataclass(frozen=True, slots=True)
class ReportContent:
    """What a message about a report holds."""

    id: str
    period: Period
    view: str
    as_of: datetime
    """When the message was made: the report has what was stored by then."""


class MessageWriter:
    """Writes messages for channels."""

    def __init__(
        self, templates: Templates | None = None, app: str = "lapwing", desk_url: str | None = None
    ) -> None:
        self._templates = templates or Templates()
        self._source = f"/lapwing/{quote(app, safe='')}"
        self._desk_url = desk_url

    def of_step(
        self,
        step: StepContent,
        channel: Channel,
        style: Style,
        note: str | None = None,
        *,
        again: bool = False,
    ) -> Message:
        """Return the message on one step; `note` is as stored, `again` where it may have been sent before."""
        kind = "segment" if step.is_segment else "notice"
        facts = self._facts(step)
        # A deferred notice is sent with the newest step, which may be an update of what nobody knows yet.
        facts["is_news"] = facts["event"] != "opened" and not (note and facts["event"] == "updated")
        words = note_words(note, style.language, style.time_zone)
        notes = [words] if words else []
        if again:
            notes.append(REPEATED[style.language])
        facts["note"] = " ".join(" ".join(notes).split()) or None
        text = self._templates.find(style.template, style.language, kind).render(
            facts, style.time_zone, channel.markup
        )
        subject = (
            f"{step.data['dimension']}={step.data['value']}" if step.is_segment else step.data["customer_id"]
        )
        content = {
            "specversion": "1.0",
            "id": step.id,
            "source": self._source,
            "type": step.type,
            "subject": subject,
            "time": format_instant(to_us(step.time)),
            "datacontenttype": "application/json",
            **_delivery(style, words, again=again),
            "data": step.data,
        }
        urgent = step.data["tier"] == "high"
        return Message(text.title, text.body, urgent, _message_id(step.id, channel), _encode(content))

    def of_bundle(self, bundle: Bundle, channel: Channel, style: Style, *, again: bool = False) -> Message:
        """Return the message on several steps."""
        facts: Facts = {
            "day": bundle.day or bundle.at.date(),
            "warnings": [self._facts(step) for step in bundle.steps],
            "total": bundle.total or len(bundle.steps),
            "part": bundle.part,
            "parts": bundle.parts,
            "receiver": style.receiver,
        }
        text = self._templates.find(style.template, style.language, bundle.kind).render(
            facts, style.time_zone, channel.markup
        )
        body = f"{text.body}\n\n{REPEATED[style.language]}" if again else text.body
        data = {
            "day": bundle.day.isoformat() if bundle.day else None,
            "part": bundle.part,
            "parts": bundle.parts,
            "total": facts["total"],
            "steps": [{"id": step.id, "type": step.type, "data": step.data} for step in bundle.steps],
        }
        content = {
            "specversion": "1.0",
            "id": bundle.id,
            "source": self._source,
            "type": f"churn.notices.{bundle.kind}",
            "time": format_instant(to_us(bundle.at)),
            "datacontenttype": "application/json",
            **_delivery(style, None, again=again),
            "data": data,
        }
        urgent = any(step.data["tier"] == "high" for step in bundle.steps)
        return Message(text.title, body, urgent, _message_id(bundle.id, channel), _encode(content))

    def of_report(
        self,
        report: ReportContent,
        document: Document,
        channel: Channel,
        style: Style,
        *,
        again: bool = False,
    ) -> Message:
        """Return the message about a report: its summary, and by mail the whole of it as a page."""
        title, link = heading(document), self._report_link(report)
        lines = message_lines(document, link, attached=channel.takes_files)
        if again:
            lines.append(REPEATED[style.language])
        content = {
            "specversion": "1.0",
            "id": report.id,
            "source": self._source,
            "type": "churn.report.made",
            "time": format_instant(to_us(report.as_of)),
            "datacontenttype": "application/json",
            **_delivery(style, None, again=again),
            "data": {
                "period": report.period.key,
                "view": report.view,
                "language": document.language,
                "title": title,
                "answer": list(document.answer),
                "figures": [
                    {"name": each.what, "figure": each.figure, "note": each.note} for each in document.tiles
                ],
                "address": link,
            },
        }
        name = f"lapwing-{report.period.key.replace('..', '-to-')}-{report.view}.html"
        files = (Attachment(name, "text/html", page(document).encode()),) if channel.takes_files else ()
        body = "\n\n".join(as_text(each, channel.markup) for each in lines)
        shown = as_text(title, channel.markup)
        return Message(shown, body, False, _message_id(report.id, channel), _encode(content), files)

    def _report_link(self, report: ReportContent) -> str | None:
        if self._desk_url is None:
            return None
        query = urlencode({"period": report.period.key, "view": report.view})
        return f"{self._desk_url.rstrip('/')}/reports?{query}"

    def _facts(self, step: StepContent) -> Facts:
        if step.is_segment:
            return segment_facts(step.type, step.data)
        return warning_facts(step.type, step.data, self._desk_url)


REPEATED: Final[Mapping[str, str]] = {
    "en": "Sent again: an earlier attempt may have arrived.",
    "zh": "重复发送：此前的一次可能已送达。",
}


def _message_id(content: str, channel: Channel) -> str:
    return f"{content}:{channel.name}"


def _delivery(style: Style, note: str | None, *, again: bool) -> dict[str, Any]:
    """Return the attributes that extend a CloudEvent by what belongs to the delivery."""
    given = {"lapwingreceiver": style.receiver, "lapwingroute": style.route, "lapwingnote": note}
    return {name: value for name, value in given.items() if value} | {"lapwingrepeated": again}


def write_message(kind: str, data: Mapping[str, Any], note: str | None = None) -> Message:
    """Return the message on a customer's step in English, for a channel that shows text as it is."""
    step = StepContent(f"{data['warning_id']}/{data['step']}", kind, _time_of(data), data)
    return MessageWriter().of_step(step, Channel("", "", Markup.NONE), Style(), note)


def _time_of(data: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(data["opened_at"])

"""A database with a route tree: steps go in, and what each channel gets comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import event

from consumers.database.database import Database
from consumers.notify.channels import Channel
from consumers.notify.message import Bundle, Message, MessageWriter
from consumers.notify.notifier import Notifier
from consumers.notify.outbox import Outbox
from consumers.notify.router import Router
from consumers.notify.routes import RouteTree
from consumers.sink.kinds import SEGMENT_WARNINGS
from lapwing.routes import tree_of
from lapwing.settings.settings import load_settings
from streams.contract.warnings import encode_step
from streams.core.decision.decision import Decision, DecisionBasis
from streams.core.steps import Acknowledgement, AcknowledgementState, Tier, Traits
from streams.rulebook.reader import read_document
from streams.rulebook.routes_file import RoutesFile
from tests.consumers.notify.notice_shop import BEGIN, Shop, us
from tests.consumers.stored import store_records
from tests.consumers.stubs import Clock, Waits
from tests.consumers.warning_events import records


def tree(text: str) -> RouteTree:
    read = read_document("routes.yaml", text.encode(), RoutesFile)
    assert read.content is not None, read.mistakes
    return tree_of(read.content, load_settings(environ={}))


class Killed(BaseException):
    """The notifier's process ends here."""


@dataclass
class Received:
    """What a channel got: the steps it is about, in order."""

    at: datetime
    kind: str
    steps: list[str]
    message: Message


@dataclass
class RoutedShop:
    """Steps of warnings and segments, the notifier over them, and what arrives."""

    database: Database
    tree: RouteTree
    channels: Sequence[str]
    clock: Clock = field(default_factory=lambda: Clock(BEGIN))
    routes_customers: bool = True
    got: dict[str, list[Received]] = field(default_factory=dict)
    shop: Shop = field(default_factory=lambda: Shop([], {}))

    def step(self, customer: str, kind: str = "opened", tier: Tier = Tier.HIGH, **more: Any) -> None:
        """Store a step of a customer's warning that happens now."""
        region, barred = more.pop("region", None), more.pop("do_not_contact", False)
        by = more.pop("by", None)
        self.shop.step(customer, self.clock(), kind, tier, **more)
        made = replace(self.shop.steps[-1], traits=Traits("key", None, region, None))
        if barred:
            basis = DecisionBasis(None, known=False, barred="problem_class", do_not_contact=True)
            made = replace(made, decision=Decision(basis, None, None, None))
        if by is not None:
            taken = Acknowledgement(AcknowledgementState.ACKNOWLEDGED, made.number, us(self.clock()), by)
            made = replace(made, acknowledgement=replace(taken, until=us(self.clock()) + 10**12))
        self.shop.steps.clear()
        store_records(self.database, records([encode_step(made, "shop")]), self.clock())

    def segment(self, content: bytes) -> None:
        """Store a step of a segment's warning."""
        store_records(self.database, records([content]), self.clock(), SEGMENT_WARNINGS)

    def outbox(self, owner: str = "one") -> Outbox:
        return Outbox(
            self.database,
            owner,
            router=Router(self.database, self.tree, routes_customers=self.routes_customers),
        )

    def run(self, owner: str = "one", *, from_now: bool = False) -> list[Received]:
        """Let a notifier make one round; return what arrived."""
        box = self.outbox(owner)
        box.add_channels(self.channels, self.clock(), from_now=from_now)
        before = {name: len(found) for name, found in self.got.items()}
        writer = _Recorded(self)
        Notifier(
            box,
            [Channel(name, "json://127.0.0.1") for name in self.channels],
            writer.send,
            Waits(1, self.clock),
            writer=writer,
            clock=self.clock,
        ).run(follow=False)
        return [each for name, found in self.got.items() for each in found[before.get(name, 0) :]]

    def steps_of(self, channel: str) -> list[str]:
        return [step for each in self.got.get(channel, []) for step in each.steps]


class _Recorded(MessageWriter):
    """Writes messages as in production and remembers what each is about."""

    def __init__(self, shop: RoutedShop) -> None:
        super().__init__()
        self._shop = shop
        self._last: tuple[str, list[str]] = ("", [])

    def of_step(self, step: Any, *args: Any, **more: Any) -> Message:
        self._last = ("segment" if step.is_segment else "notice", [step.id])
        return super().of_step(step, *args, **more)

    def of_bundle(self, bundle: Bundle, *args: Any, **more: Any) -> Message:
        self._last = (bundle.kind, [step.id for step in bundle.steps])
        return super().of_bundle(bundle, *args, **more)

    def send(self, channel: Channel, message: Message) -> None:
        kind, steps = self._last
        found = self._shop.got.setdefault(channel.name, [])
        found.append(Received(self._shop.clock(), kind, steps, message))


@contextmanager
def killed_at(database: Database, number: int) -> Iterator[Callable[[], int]]:
    """Let the process end at the `number`-th statement; yields how many there were."""
    seen = 0

    def count(*args: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            raise Killed

    engine = database._engine
    event.listen(engine, "before_cursor_execute", count)
    try:
        yield lambda: seen
    finally:
        event.remove(engine, "before_cursor_execute", count)

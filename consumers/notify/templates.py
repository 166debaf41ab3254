"""Message templates: Jinja2 in a sandbox, a closed list of what they may use, bounded in length and work.

A template may loop, but at most two loops deep over the lists that it is given; it can neither call, assign
nor import. So its work is bounded by its own length and by that of the lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, UndefinedError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from consumers.notify.channels import Markup, as_text
from consumers.notify.routes import LANGUAGES
from consumers.notify.words import filters_of
from streams.errors import SettingsError

SHIPPED: Final = Path(__file__).with_name("texts")
KINDS: Final = ("notice", "segment", "digest", "gathered")
"""What there is a template for."""
LONGEST_TITLE: Final = 200
LONGEST_BODY: Final = 30_000
"""Characters of a body; what is longer is cut."""
MOST_BYTES: Final = 20_000
"""Of a template's file."""
DEEPEST_LOOP: Final = 2

_FILTERS: Final = frozenset({"default", "first", "last", "length", "lower", "upper", "trim"})
"""Jinja2's own filters that may be used: each gives no more than it gets."""
_TESTS: Final = frozenset({"defined", "undefined", "none"})
_NODES: Final = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr),
    *(nodes.For, nodes.If, nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand),
    *(nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Concat, nodes.Add, nodes.Sub, nodes.Div),
)


class TemplateMistake(SettingsError):
    """A template is wrong; the text begins with its file and line."""

    def __init__(self, path: str, line: int, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}")
        self.path = path
        self.line = line


class _Environment(ImmutableSandboxedEnvironment):
    """A sandbox in which an attribute is an entry of a mapping and nothing else."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return the entry of a mapping."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return self.undefined(obj=obj, name=attribute)


@lru_cache(maxsize=256)
def _environment(language: str, time_zone: str, markup: Markup) -> _Environment:
    def shown(value: Any) -> str:
        return "" if value is None else as_text(str(value), markup)

    # Not HTML: what a channel makes of text is escaped by `finalize`, for every value that is printed.
    made = _Environment(
        autoescape=False,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        cache_size=0,
        optimized=False,
    )
    made.globals.clear()
    made.filters = {name: made.filters[name] for name in _FILTERS} | filters_of(language, time_zone)
    made.tests = {name: made.tests[name] for name in _TESTS}
    return made


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message's title and body, as the channel is to show them."""

    title: str
    body: str


@dataclass(frozen=True)
class MessageTemplate:
    """One template file: its first line is the title, the rest the body."""

    path: str
    source: str
    language: str

    @cached_property
    def _compiled(self) -> dict[tuple[str, Markup], Template]:
        return {}

    def check(self) -> None:
        """Raise `TemplateMistake` where it uses what it may not."""
        if len(self.source.encode()) > MOST_BYTES:
            raise TemplateMistake(self.path, 1, f"is larger than {MOST_BYTES} bytes")
        environment = _environment(self.language, "UTC", Markup.NONE)
        try:
            parsed = environment.parse(self.source)
            for line, message in _refused(parsed, environment, 0):
                raise TemplateMistake(self.path, line, message)
            environment.compile(parsed)
        except TemplateSyntaxError as error:
            raise TemplateMistake(self.path, error.lineno, error.message or "is no template") from None

    def render(self, facts: Mapping[str, Any], time_zone: str, markup: Markup) -> Rendered:
        """Return the message; raise `TemplateMistake` where the template asks for what is not there."""
        compiled = self._compiled.get((time_zone, markup))
        if compiled is None:
            environment = _environment(self.language, time_zone, markup)
            compiled = self._compiled[time_zone, markup] = environment.from_string(self.source)
        pieces: list[str] = []
        length = 0
        try:
            for piece in compiled.generate(facts):
                pieces.append(piece)
                length += len(piece)
                if length > LONGEST_BODY:
                    break
        except (TemplateError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError) as error:
            what = error.message if isinstance(error, UndefinedError) else f"{type(error).__name__}: {error}"
            raise TemplateMistake(self.path, _line_of(error), what or "cannot be rendered") from None
        title, _, body = "".join(pieces).partition("\n")
        title, body = title.strip()[:LONGEST_TITLE], body.strip("\n")
        if not title:
            raise TemplateMistake(self.path, 1, "the first line is the title, and it is empty")
        return Rendered(title, body if length <= LONGEST_BODY else f"{body[:LONGEST_BODY]}…")


def _refused(node: nodes.Node, environment: _Environment, loops: int) -> Iterator[tuple[int, str]]:
    """Yield what a template may not use, with its line."""
    if not isinstance(node, _NODES):
        yield node.lineno, f"{type(node).__name__.lower()} is not for templates: docs/notify.md lists what is"
        return
    if isinstance(node, nodes.Filter) and node.name not in environment.filters:
        yield node.lineno, f"there is no filter {node.name!r}: {', '.join(sorted(environment.filters))}"
    if isinstance(node, nodes.Test) and node.name not in environment.tests:
        yield node.lineno, f"there is no test {node.name!r}: {', '.join(sorted(environment.tests))}"
    if isinstance(node, nodes.For):
        loops += 1
        if node.recursive or loops > DEEPEST_LOOP:
            yield node.lineno, f"loops may be {DEEPEST_LOOP} deep, and not recursive"
        if not isinstance(node.iter, nodes.Name | nodes.Getattr):
            yield node.lineno, "a loop goes over a list that it is given"
    for inner in node.iter_child_nodes():
        yield from _refused(inner, environment, loops)


def _line_of(error: BaseException) -> int:
    """Return the line of a template at which an error arose: Jinja2 writes it into the traceback."""
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in ("<template>", "<unknown>"):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


class Templates:
    """The templates by language and name: those that come with Lapwing and the team's own.

    The team's lie in `FOLDER/NAME/LANGUAGE/KIND.txt`; a kind that is not there is the shipped one.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._read: dict[tuple[str | None, str, str], MessageTemplate] = {}

    def find(self, name: str | None, language: str, kind: str) -> MessageTemplate:
        """Return a template, checked; raise `SettingsError` where it cannot be read or is wrong."""
        key = (name, language, kind)
        if key not in self._read:
            found = _read(self._path(name, language, kind), language)
            found.check()
            self._read[key] = found
        return self._read[key]

    def check(self, name: str | None, language: str, samples: Mapping[str, Any]) -> list[SettingsError]:
        """Return every mistake in the templates of a name: of each kind, with the sample facts given."""
        if name is not None and (self._folder is None or not (self._folder / name).is_dir()):
            where = "as the setting `notify_templates` names no folder"
            where = where if self._folder is None else f"in {self._folder}"
            return [SettingsError(f"there are no templates {name!r} {where}")]
        mistakes: list[SettingsError] = []
        for kind in KINDS:
            try:
                template = self.find(name, language, kind)
                for facts in samples[kind]:
                    template.render(facts, "UTC", Markup.NONE)
            except SettingsError as error:
                mistakes.append(error)
        return mistakes

    def _path(self, name: str | None, language: str, kind: str) -> Path:
        if name is not None and self._folder is not None:
            own = self._folder / name / language / f"{kind}.txt"
            if own.is_file():
                return own
        assert language in LANGUAGES
        return SHIPPED / language / f"{kind}.txt"


def _read(path: Path, language: str) -> MessageTemplate:
    try:
        with path.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        return MessageTemplate(str(path), content.decode("utf-8-sig"), language)
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror or error}"
        raise SettingsError(msg) from error
    except UnicodeDecodeError:
        raise TemplateMistake(str(path), 1, "is not UTF-8 text") from None

"""Rulebook files read by pydantic models: every mistake with its place and the likely right value.

A kind of file is a `Document`. Write its fields with the types of `streams.rulebook.fields`, each with a line
on what it means: `read_document` then reads it strictly, and `json_schema` describes it to editors. Unknown
and repeated fields are refused everywhere, and each mistake has the line and column of its YAML node.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from streams.core.conditions.parser import closest
from streams.errors import RuleFilesError
from streams.rulebook.yaml import Entries, Node, Scalar, YamlMistake, parse_bytes

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

EMPTY: Final = "is empty; leave the field out or write something"

Place = tuple[str | int, ...]
"""Where a value stands in a document: the keys and positions on the way to it."""
Schema = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake in a rulebook file; line and column count from 1, and are 0 where it is the whole file."""

    path: str
    line: int
    column: int
    message: str
    kind: str | None = None
    """What it lies in: a `rule`, a `case`; `None` for the file itself."""
    name: str | None = None
    """The id or name of that."""
    value: str | None = None
    """What was written."""
    hint: str | None = None
    """The likely right word, where there is one."""

    def __str__(self) -> str:
        item = f"{self.kind} {self.name!r}: " if self.kind else ""
        hint = f"; did you mean {self.hint!r}?" if self.hint else ""
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {item}{self.message}{hint}"

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        place = {"path": self.path, "line": self.line or None, "column": self.column or None}
        item = {self.kind or "rule": self.name}
        return place | item | {"message": self.message, "value": self.value, "hint": self.hint}


class RulebookRefused(RuleFilesError):
    """Rulebook files that were refused; its text has a line for each mistake."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes), key=lambda m: (m.path, m.line, m.column, m.message)))
        super().__init__("\n".join(map(str, self.mistakes)))


class WrongValueError(ValueError):
    """A value that a field cannot take; the message follows the name of the field."""

    def __init__(self, message: str, hint: str | None = None, at: Place = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.at = at
        """Where it lies within the value that is read."""


class WrongWhole(WrongValueError):
    """Something else that is wrong; the message stands for itself."""


def exactly_one(what: str, names: Collection[str], given: Collection[str]) -> Iterator[WrongWhole]:
    """Yield the mistake where not exactly one of some names is given.

    >>> [str(each) for each in exactly_one("a field", ("path", "const"), ["path", "const"])]
    ['a field needs exactly one of path, const, not path and const']
    """
    there = [name for name in names if name in given]
    if len(there) != 1:
        more = f", not {' and '.join(there)}" if there else ""
        yield WrongWhole(f"{what} needs exactly one of {', '.join(names)}{more}")


def refusal(mistakes: Iterable[WrongValueError]) -> ValidationError:
    """Return the error of a value in which several things are wrong."""
    return ValidationError.from_exception_data("value", [_line(each) for each in mistakes])


def _line(mistake: WrongValueError) -> InitErrorDetails:
    kind = "whole" if isinstance(mistake, WrongWhole) else "value"
    context = {"message": mistake.message, "hint": mistake.hint}
    return InitErrorDetails(type=PydanticCustomError(kind, "{message}", context), loc=mistake.at, input=None)


class FileModel(BaseModel):
    """A mapping in a rulebook file."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True, arbitrary_types_allowed=True
    )

    shape: ClassVar[str] = "must be a mapping, each entry `name: value`"
    """The message where something else is there."""
    absent: ClassVar[Mapping[str, str]] = {}
    """What follows "is missing" where a required field is missing."""

    @classmethod
    def among_fields(cls, given: Mapping[str, Any]) -> Iterator[WrongValueError]:
        """Yield what is wrong with which fields are there, whatever they hold."""
        yield from ()

    def as_whole(self) -> Iterator[WrongValueError]:
        """Yield what is wrong with fields beside each other, each of which is right."""
        yield from ()

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """Return the fields as they are written in the file."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(given, dict):
            raise refusal([WrongWhole(cls.shape)])
        known = cls.field_names()
        lines = [
            _line(WrongWhole(f"unknown field {name!r}", closest(name, known), (name,)))
            for name in given
            if name not in known
        ]
        empty = [name for name in known if name in given and given[name] is None]
        lines += [_line(WrongValueError(EMPTY, None, (name,))) for name in empty]
        lines += map(_line, cls.among_fields(given))
        try:
            found = handler({name: given[name] for name in known if name in given and name not in empty})
        except ValidationError as error:
            known_wrong = {(name,) for name in empty}
            others = (each for each in error.errors(include_url=False) if each["loc"] not in known_wrong)
            lines += [cls._in_our_words(each) for each in others]
        else:
            lines += map(_line, found.as_whole())
        if lines:
            raise ValidationError.from_exception_data(cls.__name__, lines)
        return found

    @classmethod
    def _in_our_words(cls, error: Any) -> InitErrorDetails:
        """Return one of pydantic's errors as one of ours, where it is not one already."""
        place, kind, context = error["loc"], error["type"], error.get("ctx", {})
        mistake: WrongValueError
        match kind:
            case "whole" | "value":
                known = PydanticCustomError(kind, "{message}", context)
                return InitErrorDetails(type=known, loc=place, input=None)
            case "value_error" if isinstance(context["error"], WrongValueError):
                given = context["error"]
                mistake = type(given)(given.message, given.hint, (*place, *given.at))
            case "missing":
                more = cls.absent.get(place[-1], "")
                mistake = WrongWhole(f"`{place[-1]}` is missing{more}", None, place[:-1])
            case "list_type":
                item = item_of(place[-1])
                mistake = WrongValueError(f"must be a list: each {item} begins with a dash", None, place)
            case "dict_type":
                mistake = WrongValueError("must be a mapping, each entry `name: value`", None, place)
            case "too_short":
                mistake = WrongValueError("is empty", None, place)
            case _:
                text = error["msg"].replace("Input should be", "must be").replace("Value error, ", "")
                mistake = WrongValueError(text, None, place)
        return _line(mistake)


def item_of(field: object) -> str:
    """Return what each item of a list is.

    >>> item_of("segments"), item_of("expect")
    ('rule', 'expectation')
    """
    named = {"segments": "rule", "expect": "expectation"}
    return named.get(str(field), str(field).removesuffix("s"))


class Document(FileModel):
    """A kind of rulebook file."""

    title: ClassVar[str]
    """What editors are shown."""
    named: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """Lists of things with a name: what each thing is, and the field that names it; "" where the key does."""


D = TypeVar("D", bound=Document)


class Places:
    """The nodes of a document by their places, and the names of the things they lie in."""

    def __init__(self, path: str, root: Node, named: Mapping[str, tuple[str, str]]) -> None:
        self.path = path
        self.root = root
        self._named = named

    def node(self, place: Place) -> Node:
        """Return the node at a place, or the nearest around it; an empty value stands where its key does."""
        found = self.root
        for step in place:
            if isinstance(found, Scalar):
                break
            if found.keys is None:
                if not (isinstance(step, int) and step < len(found.values)):
                    break
                found = found.values[step]
                continue
            pair = next((pair for pair in found.pairs() if pair[0].text == step), None)
            if pair is None:
                break
            key, found = pair
            if isinstance(found, Scalar) and not found.text:
                found = key
        return found

    def key(self, place: Place) -> Node:
        """Return the key of the entry at a place."""
        around = self.node(place[:-1])
        if isinstance(around, Entries) and around.keys is not None:
            return next((key for key in around.keys if key.text == place[-1]), around)
        return around

    def lines(self, place: Place) -> dict[str, int]:
        """Return the line of each field of the mapping at a place."""
        node = self.node(place)
        assert isinstance(node, Entries)
        return {key.text: self.node((*place, key.text)).line for key in node.keys or ()}

    def mistake(
        self, node: Node, place: Place, message: str, hint: str | None = None, value: str | None = None
    ) -> Mistake:
        """Return a mistake at a node that lies at a place."""
        if value is None and isinstance(node, Scalar):
            value = node.text
        kind, name = self._item(place)
        return Mistake(self.path, node.line, node.column, message, kind, name, value, hint)

    def _item(self, place: Place) -> tuple[str | None, str | None]:
        if len(place) < 2 or place[0] not in self._named:
            return None, None
        kind, field = self._named[str(place[0])]
        if isinstance(place[1], str):  # things by their names
            return kind, place[1][:64] if place[1].isprintable() else None
        node = self.node(place[:2])
        name = entry(node, field)
        text = name.text.strip() if isinstance(name, Scalar) else ""
        return kind, text[:64] if text and text.isprintable() else f"number {place[1] + 1}"


@dataclass(frozen=True, slots=True)
class ReadDocument(Generic[D]):
    """What came of reading a file."""

    path: str
    content: D | None
    """`None` where there is a mistake."""
    places: Places | None
    """`None` where it is not even YAML."""
    mistakes: Sequence[Mistake]


def read_document(path: str, content: bytes, model: type[D]) -> ReadDocument[D]:
    """Read a file's content by its model, and gather every mistake in it."""
    try:
        root = parse_bytes(content)
    except YamlMistake as mistake:
        found = Mistake(path, mistake.line, mistake.column, mistake.message)
        return ReadDocument(path, None, None, [found])
    places = Places(path, root, model.named)
    mistakes: list[Mistake] = []
    plain = _plain(root, (), places, mistakes)
    read: D | None = None
    try:
        read = model.model_validate(plain)
    except ValidationError as error:
        mistakes += [_placed(each, places) for each in error.errors(include_url=False)]
    return ReadDocument(path, None if mistakes else read, places, mistakes)


def _plain(node: Node, place: Place, places: Places, mistakes: list[Mistake]) -> Any:
    """Return a node as plain values; fields that are given twice are mistakes."""
    if isinstance(node, Scalar):
        return node.value
    if node.keys is None:
        return [_plain(each, (*place, i), places, mistakes) for i, each in enumerate(node.values)]
    first: dict[str, Scalar] = {}
    plain: dict[str, Any] = {}
    for key, value in node.pairs():
        there = first.setdefault(key.text, key)
        if there is key:
            plain[key.text] = _plain(value, (*place, key.text), places, mistakes)
        else:
            message = f"`{key.text}` is given twice, first in line {there.line}"
            mistakes.append(places.mistake(key, place, message))
    return plain


def _placed(error: Any, places: Places) -> Mistake:
    place, context = error["loc"], error.get("ctx", {})
    message, hint = context.get("message", error["msg"]), context.get("hint")
    if message.startswith("unknown field "):
        return places.mistake(places.key(place), place[:-1] if len(place) > 2 else place, message, hint)
    node = places.node(place)
    if error["type"] == "value":
        field = next((str(step) for step in reversed(place) if isinstance(step, str)), "")
        message = f"`{field}`{'' if message.startswith(':') else ' '}{message}"
    return places.mistake(node, place, message, hint)


def entry(node: Node, name: str) -> Node | None:
    """Return the first value of a mapping under a key."""
    if isinstance(node, Entries) and node.keys is not None:
        return next((value for key, value in node.pairs() if key.text == name), None)
    return None


def json_schema(model: type[Document]) -> Schema:
    """Return the JSON Schema of a kind of file, for editors."""
    made = _without_titles(model.model_json_schema(mode="validation"))
    assert isinstance(made, dict)
    return {"$schema": DIALECT, "title": model.title, **made}


def _without_titles(schema: Any) -> Any:
    """Return a schema without pydantic's titles, and without `null`, which no field may be."""
    if isinstance(schema, list):
        return [_without_titles(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("default", ...) in (None, ""):
        schema = {name: value for name, value in schema.items() if name != "default"}
        if "anyOf" in schema:
            others = [each for each in schema["anyOf"] if each != {"type": "null"}]
            rest = {name: value for name, value in schema.items() if name != "anyOf"}
            schema = rest | (others[0] if len(others) == 1 else {"anyOf": others})
    return {
        name: {each: _without_titles(part) for each, part in value.items()}
        if name in ("properties", "$defs")
        else _without_titles(value)
        for name, value in schema.items()
        if name != "title"
    }

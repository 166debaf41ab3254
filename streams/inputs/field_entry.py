"""A field of an event in inputs.yaml: where its value comes from, and what is done to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator

from streams.core.conditions.parser import closest
from streams.inputs.money import has_minor_units
from streams.inputs.paths import Path, parse_path
from streams.inputs.texts import text_of
from streams.inputs.times import NAMED_FORMATS, TimeFormat, parse_time_format
from streams.rulebook.fields import Read, choice, several, text, written, zone_field
from streams.rulebook.reader import FileModel, Schema, WrongValueError, WrongWhole, exactly_one, refusal

_VALUES: Final = ("path", "constant", "first_of", "hash", "product")
_SINGLE: Final[Schema] = {"type": ["string", "number", "boolean"]}


def _path(value: Any) -> Path:
    given = written(value)
    try:
        return parse_path(given)
    except ValueError as error:
        raise WrongValueError(str(error)) from None


def _single(value: Any) -> str:
    found = text_of(value if not isinstance(value, list | dict) else written(value))
    if found is None:
        msg = "is empty"
        raise WrongValueError(msg)
    return found


def _time_format(value: Any) -> TimeFormat:
    given = written(value)
    try:
        return parse_time_format(given)
    except ValueError as error:
        raise WrongValueError(str(error), closest(given, NAMED_FORMATS)) from None


path_field: Final = Read(_path, {"type": "string", "minLength": 1})
"""A path to a value."""
paths_field: Final = several(path_field, "paths")
value_field: Final = Read(_single, _SINGLE)
"""A word or a number that stands in the file itself."""
_formats_field: Final = several(Read(_time_format, {"type": "string", "minLength": 1}), "formats")


def _currency(value: Any) -> str:
    found = written(value).strip().upper()
    if not has_minor_units(found):
        msg = (
            f"must be a currency of ISO 4217 such as EUR, or a path such as {{path: currency}}, not {found!r}"
        )
        raise WrongValueError(msg)
    return found


class CurrencyEntry(FileModel):
    """A currency that a record names itself."""

    shape: ClassVar[str] = "must be a currency such as EUR, or {path: currency}"

    path: Annotated[Path, path_field]
    """Where the record names the currency."""


def _minor_units(value: Any) -> str | CurrencyEntry:
    return CurrencyEntry.model_validate(value) if isinstance(value, dict) else _currency(value)


def _map(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not value:
        msg = "must hold what stands for what, each `word: word`"
        raise WrongValueError(msg)
    found: dict[str, str] = {}
    mistakes = []
    for name, word in value.items():
        try:
            found[name] = _single(word)
        except WrongValueError as error:
            mistakes.append(WrongValueError(error.message, None, (name,)))
    if mistakes:
        raise refusal(mistakes)
    return found


class FieldEntry(FileModel):
    """Where the value of a field comes from, and what is done to it, in the order of these fields."""

    shape: ClassVar[str] = (
        "a field is a path, or a mapping that holds path, constant, first_of, hash or product"
    )

    path: Annotated[Path | None, path_field] = None
    """The place of the value in the record."""
    constant: Annotated[str | None, value_field] = None
    """The value itself, the same for every record."""
    first_of: Annotated[tuple[Path, ...], paths_field] = ()
    """Several places: the first that holds something."""
    hash: Annotated[tuple[Path, ...], paths_field] = ()
    """Several places, whose texts are hashed to an id of 32 digits (SHA-256)."""
    product: Annotated[tuple[Path, ...], paths_field] = ()
    """Several places, whose numbers are multiplied."""
    trim: bool = False
    """Takes blanks away at both ends."""
    lower: bool = False
    """Writes it in lower case."""
    upper: bool = False
    """Writes it in upper case."""
    whole: bool = False
    """Writes an id that a program took for a number without its point: 13085.0 is 13085."""
    map: Annotated[dict[str, str] | None, Read(_map, {"type": "object", "additionalProperties": _SINGLE})] = (
        None
    )
    """Says one word for another; a word that is not named is refused."""
    otherwise: Annotated[str | None, value_field] = None
    """What stands for words that `map` does not name."""
    decimal: Annotated[str | None, choice({"comma": "comma", "point": "point"})] = None
    """How numbers are written: comma for 1.234,50 and point for 1,234.50; by default 1234.50."""
    time: Annotated[tuple[TimeFormat, ...], _formats_field] = ()
    """How times are written: rfc3339, epoch_s, epoch_ms, epoch_us, epoch_days or a form: %d.%m.%Y %H:%M."""
    zone: Annotated[str | None, zone_field] = None
    """The time zone of times that name none; by default UTC."""
    minor_units: Annotated[
        str | CurrencyEntry | None,
        Read(_minor_units, {"anyOf": [{"type": "string"}, {"type": "object", "required": ["path"]}]}),
    ] = None
    """Amounts are in the smallest unit of this currency, such as cents."""
    absolute: bool = False
    """Takes the minus sign away."""
    rates: bool = False
    """Turns the amount into the setting `currency`, by the setting `rates`: a table of rates by day."""
    prefix: Annotated[str | None, text(64)] = None
    """Is put before the text."""
    default: Annotated[str | None, value_field] = None
    """The value where there is none."""

    @classmethod
    def among_fields(cls, given: Mapping[str, Any]) -> Iterator[WrongValueError]:
        """Refuse none and several places to take the value from."""
        yield from exactly_one("a field", _VALUES, given)

    def as_whole(self) -> Iterator[WrongValueError]:
        """Refuse what has no meaning beside the rest."""
        if self.otherwise is not None and self.map is None:
            yield WrongWhole(
                "`otherwise` is for words that `map` does not name; there is no `map`", None, ("otherwise",)
            )
        if self.lower and self.upper:
            yield WrongWhole("`lower` and `upper` contradict each other", None, ("upper",))
        if self.constant is not None and (self.default is not None or self.map is not None):
            yield WrongWhole("a constant needs neither `default` nor `map`", None, ("constant",))
        if self.zone is not None and not any(each.is_local for each in self.time):
            yield WrongWhole(
                "`zone` is for times that name no offset; give their form in `time`", None, ("zone",)
            )


def _as_field(value: Any) -> Any:
    """Take a word alone for a path."""
    return {"path": value} if isinstance(value, str | int | float) else value


Field_ = Annotated[FieldEntry, BeforeValidator(_as_field, json_schema_input_type=str | FieldEntry)]

"""What pydantic finds wrong, in one line: the field, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from streams.errors import ContractError

Model = TypeVar("Model", bound=BaseModel)

LONGEST: Final = 500
LONGEST_PART: Final = 100
_TAG: Final = re.compile(r"Input tag '.*' found using .* does", re.DOTALL)
"""The one error of pydantic's whose text shows what a field holds."""


def first_mistake(error: ValidationError) -> str:
    """Return the first of pydantic's errors; it never shows what the field holds."""
    return mistake_line(error.errors(include_url=False, include_context=False, include_input=False)[0])


def mistake_line(item: Mapping[str, Any]) -> str:
    """Return one of pydantic's errors in one line of bounded length; keys are whoever's who wrote them.

    >>> mistake_line({"loc": ("data", "step"), "msg": "Field required"})
    'data.step: Field required'
    """
    place = ".".join(str(part)[:LONGEST_PART] for part in item["loc"])
    text = _TAG.sub("Input tag does", mistake_text(item))
    return one_line(f"{place}: {text}" if place else text)


def one_line(text: str) -> str:
    """Return a text that may hold what somebody sent: short, and nothing in it moves a terminal's cursor.

    >>> one_line(f"a key of {chr(27)}[2J")
    'a key of ?[2J'
    """
    return "".join(each if each.isprintable() else "?" for each in text[:LONGEST])


def mistake_text(item: Mapping[str, Any]) -> str:
    """Return what is wrong, without the field.

    >>> mistake_text({"msg": "Value error, it is empty"})
    'it is empty'
    """
    return " ".join(str(item["msg"]).removeprefix("Value error, ").split())


def read_json(model: type[Model], value: bytes, what: str) -> Model:
    """Return what the bytes of a record hold, or raise `ContractError`: "not a silence: author: ..."."""
    try:
        return model.model_validate_json(value)
    except ValidationError as error:
        msg = f"not {what}: {first_mistake(error)}"
        raise ContractError(msg) from None


def make(model: type[Model], fields: Mapping[str, Any], what: str) -> Model:
    """Return a model of these fields, or raise `ContractError` with what is wrong with them."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        msg = f"not {what}: {first_mistake(error)}"
        raise ContractError(msg) from None

"""What pydantic finds wrong, in one line: the field, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from streams.errors import ContractError

Model = TypeVar("Model", bound=BaseModel)


def first_mistake(error: ValidationError) -> str:
    """Return the first of pydantic's errors; it never shows what the field holds."""
    return mistake_line(error.errors(include_url=False, include_context=False, include_input=False)[0])


def mistake_line(item: Mapping[str, Any]) -> str:
    """Return one of pydantic's errors in one line.

    >>> mistake_line({"loc": ("data", "step"), "msg": "Field required"})
    'data.step: Field required'
    """
    place = ".".join(str(part) for part in item["loc"])
    text = mistake_text(item)
    return f"{place}: {text}" if place else text


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

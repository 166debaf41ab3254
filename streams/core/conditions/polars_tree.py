"""Polars's reading of a SQL expression as plain objects; nothing is evaluated here."""

from __future__ import annotations

import io
import json
import warnings
from typing import Any

import polars as pl


class NotSqlError(ValueError):
    """A text that Polars does not read as a SQL expression."""


def expression_tree(sql: str) -> Any:
    """Return Polars's own tree of the expression as plain objects."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expression = pl.sql_expr(sql)
            return json.loads(expression.meta.serialize(format="json"))
    except RecursionError:
        msg = "is nested too deeply"
        raise NotSqlError(msg) from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError) as error:
        raise NotSqlError(_message(error)) from None


def _message(error: BaseException) -> str:
    lines = str(error).splitlines()
    text = " ".join(lines[0].split()) if lines else "not SQL"
    if "span: " in text or "Span(" in text:
        text = "it uses a form of SQL that rules do not have"  # Polars prints its own parse tree here
    return f"cannot be read as a SQL condition: {text[:200]}"


def list_values(literal: Any) -> list[Any]:
    """Return the values of a list, which Polars keeps as one value in its own binary form."""
    text = json.dumps({"Literal": literal}).encode()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        series = pl.select(pl.Expr.deserialize(io.BytesIO(text), format="json")).to_series()
    # Polars says separately, by an OR, that a NULL in the list leaves the rest in doubt.
    return [value for value in series.to_list()[0] if value is not None]

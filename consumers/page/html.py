"""A page in one file, without anything from elsewhere, readable in light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Final

from consumers import charts

STYLE: Final = files("consumers.page").joinpath("page.css").read_text(encoding="utf-8") + charts.STYLE


def page(
    title: str, lead: Sequence[str], tiles: Sequence[tuple[str, str, str]], sections: Sequence[str]
) -> str:
    """Return a whole page; tiles are a figure, what it is, and a note."""
    shown = "".join(
        f'<div class="tile"><span>{escape(what)}</span><b>{escape(figure)}</b>'
        f"<span>{escape(note)}</span></div>"
        for figure, what, note in tiles
    )
    intro = "".join(f'<p class="soft">{escape(each)}</p>' for each in lead)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>"
        f'<h1>{escape(title)}</h1>{intro}<div class="tiles">{shown}</div>'
        f'<div class="grid">{"".join(sections)}</div></main></body></html>\n'
    )


def section(title: str, note: str, body: str, *, wide: bool = False) -> str:
    """Return a card."""
    kind = ' class="wide"' if wide else ""
    shown = f'<p class="soft">{escape(note)}</p>' if note else ""
    return f"<section{kind}><h2>{escape(title)}</h2>{shown}{body}</section>"


MANY_COLUMNS: Final = 4
"""A table of more is a card for each row on a phone."""


def table(heads: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Return a table; rows are a class and cells that are HTML already (see `cell`)."""
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join(
        f'<tr class="{kind}">'
        + "".join(
            f'<td data-head="{escape(name, quote=True)}"><div>{each}</div></td>'
            for name, each in zip(heads, cells, strict=True)
        )
        + "</tr>"
        for kind, cells in rows
    )
    cards = ' class="cards"' if len(heads) > MANY_COLUMNS else ""
    head = f"<thead><tr>{head}</tr></thead>"
    return f'<div class="scroll"><table{cards}>{head}<tbody>{body}</tbody></table></div>'


def cell(main: str, *small: str) -> str:
    """Return what stands in a cell, with smaller lines under it."""
    return escape(main) + "".join(f"<small>{escape(each)}</small>" for each in small if each)


def listed(items: Sequence[str]) -> str:
    """Return a list."""
    return "<ul>" + "".join(f"<li>{escape(each)}</li>" for each in items) + "</ul>"


def spaced(line: str) -> str:
    """Return a line of code whose leading spaces stay."""
    text = line.lstrip(" ")
    return "&nbsp;" * (len(line) - len(text)) + escape(text)

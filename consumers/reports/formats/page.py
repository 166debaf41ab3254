"""A report as one HTML file: readable on a screen, on a phone, in the dark and printed."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from html import escape
from importlib.resources import files
from itertools import groupby
from typing import Final

from consumers import charts
from consumers.reports.document import (
    Column,
    Definition,
    Document,
    Plot,
    Section,
    Table,
    Tile,
    Value,
)
from consumers.reports.formats.cells import instead_of, is_number, shown
from consumers.reports.words import Words

STYLE: Final = files("consumers.reports.formats").joinpath("page.css").read_text(encoding="utf-8")
BROAD: Final = 900
"""The width of a plot across the page, which on paper stays large enough to be read."""
HTML_LANGUAGES: Final = {"en": "en", "zh": "zh-Hans"}
MANY_COLUMNS: Final = 3
"""A table of more is a card for each row on a phone."""
VERY_MANY_COLUMNS: Final = 6
"""A table of more is set closer, so that nothing of it is cut on a screen or on paper."""
_OPEN_TO_PRINT: Final = (
    "const all=()=>document.querySelectorAll('details');"
    "addEventListener('beforeprint',()=>all().forEach(d=>{d.dataset.was=d.open?'1':'';d.open=true}));"
    "addEventListener('afterprint',()=>all().forEach(d=>{d.open=!!d.dataset.was}));"
)
"""What is folded on the screen is printed."""

Draw = Callable[[Plot], str]


def page(document: Document) -> str:
    """Return a report as a whole page, without anything from elsewhere."""
    return (
        f'<!doctype html><html lang="{HTML_LANGUAGES[document.language]}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(document.title)} · {escape(document.period)}</title>"
        f"<style>{STYLE}{charts.STYLE}</style></head>"
        f'<body class="report-page">{body(document, for_screens)}'
        f"<script>{_OPEN_TO_PRINT}</script></body></html>\n"
    )


def for_screens(plot: Plot) -> str:
    """Return a plot twice, for a page and for a phone; the style shows one."""
    return charts.for_both(plot.draw, BROAD if plot.wide else charts.WIDTH)


def body(document: Document, draw: Draw, tag: str = "main") -> str:
    """Return the report itself in an element, its plots drawn by `draw`."""
    _ = document.words.gettext
    contents = _contents(document)
    back = f'<p class="back"><a href="#contents">{escape(_("Contents"))} ↑</a></p>' if contents else ""
    parts = [
        f'<{tag} class="report" id="top">{_cover(document)}{_tiles(document.tiles)}{contents}',
        *(_section(each, document.words, draw, back) for each in document.sections),
    ]
    if document.cautions:
        parts.append(
            f'<section class="part" id="cautions"><h2>{escape(_("To keep in mind"))}</h2>'
            f"{_list(document.cautions)}</section>"
        )
    return "".join(parts) + f"</{tag}>"


def _cover(document: Document) -> str:
    answer = "".join(f"<p>{escape(each)}</p>" for each in document.answer)
    basis = "".join(f"<li>{escape(each)}</li>" for each in document.basis)
    items = f'<ul class="basis">{basis}</ul>' if basis else ""
    return (
        f'<header class="cover"><p class="period">{escape(document.period)}</p>'
        f'<h1>{escape(document.title)}</h1><div class="answer">{answer}</div>{items}</header>'
    )


def _tiles(tiles: Sequence[Tile]) -> str:
    if not tiles:
        return ""
    inside = "".join(
        f'<li class="tile"><span>{_linked(each)}</span><b>{escape(each.figure)}</b>'
        f"<span>{escape(each.note)}</span></li>"
        for each in tiles
    )
    return f'<ul class="tiles">{inside}</ul>'


def _linked(tile: Tile) -> str:
    what = escape(tile.what)
    return f'<a href="#{escape(tile.section, quote=True)}">{what}</a>' if tile.section else what


def _contents(document: Document) -> str:
    if len(document.sections) < 2:
        return ""
    _ = document.words.gettext
    links = "".join(
        f'<li><a href="#{escape(each.key, quote=True)}">{escape(each.title)}</a></li>'
        for each in document.sections
    )
    title = escape(_("Contents"))
    return f'<nav class="contents" id="contents" aria-label="{title}"><h2>{title}</h2><ol>{links}</ol></nav>'


def _section(section: Section, words: Words, draw: Draw, back: str) -> str:
    note = f'<p class="about">{escape(section.note)}</p>' if section.note else ""
    bare = {each.key for each in section.tables if instead_of(each, words)}
    plots_shown = [plot for plot in section.plots if plot.table not in bare]
    drawn = {plot.table for plot in plots_shown}
    figures = "".join(
        _figures(wide, list(plots), draw) for wide, plots in groupby(plots_shown, lambda plot: plot.wide)
    )
    # One table is open at the most: whoever reads on opens the others, and on paper all are.
    first = next((each.key for each in section.tables if each.key not in drawn | bare), None)
    tables = "".join(
        _table(each, words, _summary(each, words, drawn, first), titled=each.title != section.title)
        for each in section.tables
    )
    return (
        f'<section class="part" id="{escape(section.key, quote=True)}"><h2>{escape(section.title)}</h2>{note}'
        f"{_tiles(section.tiles)}{figures}{tables}{_list(section.remarks)}"
        f"{_definitions(section.definitions, words)}{back}</section>"
    )


def _figures(wide: bool, plots: Sequence[Plot], draw: Draw) -> str:
    """Return plots under each other, those of half the width side by side."""
    kind = "broad-plot" if wide else "half-plot"
    shown = "".join(f'<figure class="{kind}">{draw(plot)}</figure>' for plot in plots)
    return shown if wide else f'<div class="side-by-side">{shown}</div>'


def _list(items: Sequence[str]) -> str:
    return (
        f'<ul class="remarks">{"".join(f"<li>{escape(each)}</li>" for each in items)}</ul>' if items else ""
    )


def _table(table: Table, words: Words, summary: str, *, titled: bool) -> str:
    """Return a table, folded under a summary where it has one."""
    if not table.rows and table.total is None:
        return ""
    if sentence := instead_of(table, words):
        return f'<p class="about">{escape(sentence)}</p>'
    heads = "".join(f'<th scope="col"{_side(column)}>{escape(column.title)}</th>' for column in table.columns)
    rows = "".join(_row(row, table.columns, words) for row in table.rows)
    foot = "" if table.total is None else f"<tfoot>{_row(table.total, table.columns, words)}</tfoot>"
    looks = [("row-cards", MANY_COLUMNS), ("dense", VERY_MANY_COLUMNS)]
    look = " ".join(name for name, columns in looks if len(table.columns) > columns)
    cards = f' class="{look}"' if look else ""
    note = f'<p class="about">{escape(table.note)}</p>' if table.note else ""
    caption = f'<caption class="unseen">{escape(table.title)}</caption>'
    name = escape(table.title, quote=True)
    inside = (
        f'{note}<div class="scroll" tabindex="0" role="region" aria-label="{name}">'
        f"<table{cards}>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody>{foot}</table></div>"
    )
    if summary:
        return f'<details class="twin"><summary>{escape(summary)}</summary>{inside}</details>'
    return f"<h3>{escape(table.title)}</h3>{inside}" if titled else inside


def _summary(table: Table, words: Words, drawn: Container[str], first: str | None) -> str:
    if table.key in drawn:
        return words.gettext("The figures: {table}", table=table.title)
    return "" if table.key == first else table.title


def _side(column: Column) -> str:
    return ' class="number"' if is_number(column.kind) else ""


def _row(row: Sequence[Value], columns: Sequence[Column], words: Words) -> str:
    cells = "".join(_cells(row, columns, words))
    return f"<tr>{cells}</tr>"


def _cells(row: Sequence[Value], columns: Sequence[Column], words: Words) -> Iterator[str]:
    for place, (value, column) in enumerate(zip(row, columns, strict=True)):
        cell = shown(value, column, words)
        small = "".join(f"<small>{escape(each)}</small>" for each in cell.small)
        why = f' title="{escape(cell.why_absent, quote=True)}"' if cell.why_absent else ""
        kinds = [
            name
            for name, holds in (
                ("number", is_number(column.kind)),
                ("absent", bool(cell.why_absent)),
                ("under", cell.is_under),
            )
            if holds
        ]
        look = f' class="{" ".join(kinds)}"' if kinds else ""
        inside = f"<div{why}>{escape(cell.main)}{small}</div>"
        if place:
            yield f'<td data-head="{escape(column.title, quote=True)}"{look}>{inside}</td>'
        else:
            yield f'<th scope="row"{look}>{inside}</th>'


def _definitions(definitions: Sequence[Definition], words: Words) -> str:
    if not definitions:
        return ""
    _ = words.gettext
    items = []
    for each in definitions:
        left_out = words.listing([f"{what} {words.count(n)}" for what, n in each.exclusions if n])
        text = _("{part}, of {whole}; {period}.", part=each.part, whole=each.whole, period=each.period)
        if left_out:
            text += " " + _("Left out: {what}.", what=left_out)
        items.append(f"<dt>{escape(each.name)}</dt><dd>{escape(text)}</dd>")
    title = escape(_("How this is counted"))
    return f'<details class="definitions"><summary>{title}</summary><dl>{"".join(items)}</dl></details>'

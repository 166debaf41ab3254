"""The page docs/features.md, made from the catalogue; `python -m lapwing.features_page` prints it."""

from __future__ import annotations

from typing import Final

import click

from streams.core.analysis.out_of_range import range_text
from streams.core.features.catalogue import CATALOGUE, Feature

PAGE: Final = """\
# Features

<!-- Made from the catalogue in streams/core/features/catalogue.py by `make features-docs`. -->

What rules and the model may read of a customer, at an instant `t`: after each of the customer's events, and
at every sweep. `lapwing replay --features FILE.parquet` writes all of them for every customer at every sweep.

"The last n days" are the local day of `t`, in the business's time zone, and the n - 1 days before it. A sweep
at local midnight belongs to the day that has just ended and comes before the events of that same instant. A
missing value is neither true nor false in a rule. All features that read a topic are missing together while
the topic is quiet (`quiet_after` in the [settings](settings.md)); those that "may be missing" are so for some
customers at other times as well. The range is that of the known values; a total never falls.

| feature | unit | range | definition | history, days | reads | may be missing |
|---|---|---|---|---|---|---|
{rows}
"""


def page() -> str:
    """Return the whole page."""
    rows = (
        f"| `{f.name}` | {f.unit} | {_range(f)} | {f.definition} | {f.history_days or 'all'} "
        f"| {', '.join(t.label for t in f.reads)} | {'yes' if f.may_be_missing else ''} |"
        for f in CATALOGUE.values()
    )
    return PAGE.format(rows="\n".join(rows))


def _range(feature: Feature) -> str:
    if feature.unit == "word":
        return ", ".join(feature.words or ("any word",))
    text = range_text(feature.name).replace("any number", "any")
    whole = ", whole" if feature.is_whole else ""
    return f"{text}{whole}{'' if feature.can_fall else ', never falls'}"


if __name__ == "__main__":
    click.echo(page(), nl=False)

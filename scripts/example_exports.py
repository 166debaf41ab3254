"""The exports of a made-up shop that docs/your-data.md begins with.

python -m scripts.example_exports    (writes examples/your_data/)

Orders as a CSV file as shops write it in much of Europe, complaints as a help desk has them in JSON lines.
Both come from the simulated shop, so that it is known who left.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from streams.simulate.shop import Shop

FOLDER: Final = Path(__file__).parents[1] / "examples" / "your_data"
_STATES: Final = {"placed": "paid", "cancelled": "cancelled", "returned": "refunded"}


def exports() -> dict[str, str]:
    """Return the content of each file by its name."""
    shop = Shop(250, 540, 7, date(2023, 1, 2), "Europe/Berlin")
    events = pl.concat(list(shop.frames()))
    return {"orders.csv": _orders(events), "tickets.jsonl": _tickets(events)}


def _orders(events: pl.DataFrame) -> str:
    at = pl.col("occurred_at").dt.convert_time_zone("Europe/Berlin")
    rows = events.filter(type="order").select(
        pl.col("order_id").str.to_uppercase().alias("Order No"),
        pl.col("customer_id").str.to_uppercase().alias("Customer No"),
        at.dt.strftime("%d.%m.%Y %H:%M:%S").alias("Date"),
        pl.col("amount").round(2).cast(pl.Decimal(12, 2)).cast(pl.String).str.replace(".", ",", literal=True)
        .alias("Total"),
        "currency",
        pl.col("status").replace_strict(_STATES, return_dtype=pl.String).alias("State"),
    ).rename({"currency": "Currency"})  # fmt: skip
    return rows.write_csv(separator=";")


def _tickets(events: pl.DataFrame) -> str:
    rows = events.filter(type="complaint").select(
        pl.col("event_id").alias("id"),
        pl.struct(number=pl.col("complaint_id"), reason=pl.col("category")).alias("ticket"),
        pl.col("customer_id").str.to_uppercase().alias("customer"),
        pl.col("occurred_at").dt.epoch("ms").alias("created"),
        pl.col("status").alias("state"),
    )
    return rows.write_ndjson()


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    for name, content in exports().items():
        (FOLDER / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()

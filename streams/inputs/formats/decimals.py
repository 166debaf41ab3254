"""Exact numbers as Avro, Kafka Connect and Debezium write them: a whole number in bytes, and a scale."""

from __future__ import annotations

from typing import Final

LONGEST: Final = 64
"""Bytes, 154 digits: the time to write a number out grows with the square of its length."""
LARGEST_SCALE: Final = 200


class DecimalMistake(ValueError):
    """Bytes that are no number, or one too long to be read."""


def decimal_text(content: bytes, scale: int) -> str:
    """Return the number as text.

    >>> decimal_text(bytes([0x04, 0xD2]), 2), decimal_text(b"", 0), decimal_text(bytes([0xFF]), 3)
    ('12.34', '0', '-0.001')
    """
    if len(content) > LONGEST or not -LARGEST_SCALE <= scale <= LARGEST_SCALE:
        msg = f"a decimal number of more than {LONGEST} bytes, or with a scale beyond {LARGEST_SCALE}"
        raise DecimalMistake(msg)
    number = int.from_bytes(content, "big", signed=True)
    if scale <= 0:
        return str(number * 10**-scale)
    digits = str(abs(number)).rjust(scale + 1, "0")
    return f"{'-' if number < 0 else ''}{digits[:-scale]}.{digits[-scale:]}"

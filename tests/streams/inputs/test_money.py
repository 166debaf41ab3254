"""The digits of currencies."""

from streams.inputs.money import has_minor_units, minor_digits


def test_digits_are_those_of_iso_4217_and_not_of_prices_on_a_page() -> None:
    assert {c: minor_digits(c) for c in ("USD", "JPY", "KWD", "RSD", "HUF", "CLF", "XXY")} == {
        "USD": 2,
        "JPY": 0,
        "KWD": 3,
        "RSD": 2,
        "HUF": 2,
        "CLF": 4,
        "XXY": None,
    }
    assert not has_minor_units("eur")

from lapwing.features_page import page
from streams.core.features.catalogue import CATALOGUE
from tests.paths import ROOT

PAGE = ROOT / "docs" / "features.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run `make features-docs`"


def test_every_feature_says_what_it_is() -> None:
    assert all(f.unit and f.definition and f.name == name for name, f in CATALOGUE.items())

"""The examples in docstrings say what is true."""

import doctest
import importlib

import pytest

from tests.paths import ROOT

MODULES = sorted(
    path.relative_to(ROOT)
    for folder in ("streams", "consumers", "lapwing")
    for path in (ROOT / folder).rglob("*.py")
    if ">>> " in path.read_text()
)


def test_there_are_examples() -> None:
    assert MODULES


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_the_examples_of_a_module_hold(path: object) -> None:
    name = ".".join(str(path).removesuffix(".py").split("/"))
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert found.attempted
    assert not found.failed

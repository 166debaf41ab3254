"""`python -m tests.fuzz.guided TARGET [libFuzzer's options]`: one target under atheris."""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]  # where it has a wheel

with atheris.instrument_imports(include=["streams", "consumers"], enable_loader_override=False):
    from tests.fuzz.targets import TARGETS

if __name__ == "__main__":
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()

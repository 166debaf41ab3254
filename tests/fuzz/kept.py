"""The kept inputs, a folder for each target."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from tests.fuzz.targets import CORPUS_OF

CORPUS: Final = Path(__file__).parent / "corpus"


def folders(target: str) -> list[Path]:
    """Return the folders with a target's inputs, its own first."""
    names = [target, *filter(None, [CORPUS_OF.get(target)])]
    return [CORPUS / name for name in names if (CORPUS / name).is_dir()]


def inputs(target: str) -> list[Path]:
    """Return a target's inputs."""
    return [path for folder in folders(target) for path in sorted(folder.iterdir())]


def keep(target: str, data: bytes, what: str) -> Path:
    """Keep an input, under its digest."""
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{what}-{hashlib.sha256(data).hexdigest()[:12]}.input"
    path.write_bytes(data)
    return path

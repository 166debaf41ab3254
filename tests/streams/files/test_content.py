"""Files in pieces, and what is wrong with them."""

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from streams.errors import EventFileError
from streams.files.content import named, pieces, size_of

PACK: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}


@pytest.mark.parametrize("compression", ["", ".gz", ".zst"])
def test_members_one_behind_the_other_are_one_content(compression: str) -> None:
    pack = PACK[compression]
    file = io.BytesIO(pack(b"one ") + pack(b"two") + (b"" if not compression else b"\0\0"))
    assert b"".join(pieces(file, compression)) == b"one two"


@pytest.mark.parametrize("compression", [".gz", ".zst"])
def test_a_file_that_is_cut_short_is_named(compression: str) -> None:
    pack = PACK[compression]
    with pytest.raises(EventFileError, match="x: damaged"), named(Path("x")):
        list(pieces(io.BytesIO(pack(b"one" * 100)[:-3]), compression))


def test_a_folder_has_no_size(tmp_path: Path) -> None:
    with pytest.raises(EventFileError, match="is a folder"):
        size_of(tmp_path)
    (tmp_path / "a").write_bytes(b"123")
    assert size_of(tmp_path / "a") == 3

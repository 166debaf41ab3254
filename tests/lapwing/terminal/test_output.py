"""Files that are there whole, or not at all."""

import os
import stat
from pathlib import Path

import click
import pytest

from lapwing.terminal.output import OutputError, check_outputs, whole_file


def test_a_file_takes_the_place_of_the_old_one_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("old")
    with whole_file(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("old")

    def fail() -> None:
        with whole_file(path) as part:
            part.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_goes_on_to_lead_to_the_file(tmp_path: Path) -> None:
    path, link = tmp_path / "out", tmp_path / "link"
    path.write_text("old")
    link.symlink_to(path)
    with whole_file(link) as part:
        part.write_text("new")
    assert (link.is_symlink(), path.read_text()) == (True, "new")


def test_what_is_no_file_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with whole_file(pipe) as part:
        assert part == pipe
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_folder_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=f"{tmp_path}: cannot be written"), whole_file(tmp_path) as part:
        part.write_text("new")


def test_a_result_replaces_neither_what_is_read_nor_another_result(tmp_path: Path) -> None:
    read, link, out = tmp_path / "events.jsonl", tmp_path / "link", tmp_path / "out"
    read.touch()
    link.symlink_to(read)
    check_outputs([out, None, tmp_path / "other"], [read])
    check_outputs([Path("/dev/null"), Path("/dev/null")], [Path("/dev/null")])
    for outputs in ([read], [link], [out, out], [out, tmp_path / "x" / ".." / "out"]):
        with pytest.raises(click.UsageError, match="is named twice"):
            check_outputs(outputs, [read])

"""The bar is drawn on a terminal's stderr and nowhere else."""

import os
import pty
import subprocess
import sys

import pytest

from tests.paths import ROOT

DRAW = """
from lapwing.terminal.progress import progress_bar
with progress_bar("reading events") as show:
    for done in range(0, 101, 25):
        show(done, 100)
"""


def test_nothing_is_drawn_where_stderr_is_no_terminal() -> None:
    done = subprocess.run([sys.executable, "-c", DRAW], cwd=ROOT, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_sees_the_title_and_how_far_it_is_and_stdout_stays_for_data() -> None:
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-c", DRAW],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment,
        check=True,
    )
    os.close(theirs)
    drawn = b""
    try:
        while part := os.read(ours, 4096):
            drawn += part
    except OSError:  # Linux ends a pseudo-terminal whose other side is closed so
        pass
    finally:
        os.close(ours)
    assert b"reading events" in drawn
    assert b"100/100" in drawn
    assert done.stdout == b""

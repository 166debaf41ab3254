"""amtool out of Debian's package, on a machine that is made up."""

from pathlib import Path

import pytest

from scripts import amtool
from scripts.debian import Missing
from tests.scripts.test_debian import program


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing but a shell, where this user is root."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(amtool, "PLACE", tmp_path / "cache" / "amtool")
    return tmp_path


def test_it_is_unpacked_once(machine: Path) -> None:
    program(machine / "apt-get", "#!/bin/sh\necho package > alertmanager_1.deb\n")
    program(
        machine / "dpkg-deb", '#!/bin/sh\n/bin/mkdir -p "$3/usr/bin" && echo tool > "$3/usr/bin/amtool"\n'
    )
    assert amtool.fetch().read_text() == "tool\n"
    (machine / "apt-get").unlink()
    assert amtool.fetch() == amtool.PLACE


def test_one_on_the_path_is_used(machine: Path) -> None:
    program(machine / "amtool", "#!/bin/sh\n")
    assert amtool.fetch() == machine / "amtool"


def test_the_reason_why_there_is_none_is_given(machine: Path) -> None:
    with pytest.raises(Missing, match="this is no Debian to get prometheus-alertmanager from"):
        amtool.fetch()

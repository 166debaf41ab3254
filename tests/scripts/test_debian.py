import os
from pathlib import Path

import pytest

from scripts.debian import Missing, require, unpack

APT_GET = """\
#!/bin/sh
echo "$@" >> {log}
[ "$2" = install ] || exit 0
{then}
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing but a shell, where this user is root."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def apt_get(machine: Path, then: str) -> None:
    script = machine / "apt-get"
    script.write_text(APT_GET.format(log=machine / "log", then=then))
    script.chmod(0o755)


def test_what_is_there_is_not_installed(machine: Path) -> None:
    tool = machine / "tool"
    tool.touch(mode=0o755)
    apt_get(machine, "exit 1")
    assert require("tool", "tool-package") == str(tool)
    assert not (machine / "log").exists()


def test_what_is_missing_is_installed(machine: Path) -> None:
    apt_get(machine, f"echo > {machine}/tool && /bin/chmod +x {machine}/tool")
    assert require("tool", "tool-package", "other") == str(machine / "tool")
    log = (machine / "log").read_text().splitlines()
    assert log == ["-qq update", "-qq install --yes --no-install-recommends tool-package other"]


def test_the_last_word_of_a_failure_is_told(machine: Path) -> None:
    apt_get(machine, "echo first; echo no such package >&2; exit 100")
    with pytest.raises(
        Missing, match=r"^tool is not installed, and apt-get install failed: no such package$"
    ):
        require("tool", "tool-package")


def test_a_package_without_the_command_is_told(machine: Path) -> None:
    apt_get(machine, "exit 0")
    with pytest.raises(Missing, match=r"nor is it after installing tool-package"):
        require("tool", "tool-package")


def test_only_root_installs(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt_get(machine, "exit 0")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Missing, match=r"only root may: apt-get install tool-package$"):
        require("tool", "tool-package")
    assert not (machine / "log").exists()


def test_elsewhere_the_package_is_named(machine: Path) -> None:
    with pytest.raises(Missing, match=r"no Debian to install tool-package on"):
        require("tool", "tool-package")


DOWNLOAD = """\
#!/bin/sh
[ "$2" = update ] && exec /bin/touch {folder}/updated
[ -e {folder}/updated ] || {{ echo "E: Unable to locate package"; exit 100; }}
echo package > tools_1.deb
"""
EXTRACT = """\
#!/bin/sh
/bin/mkdir -p "$3/usr/bin"
for name in one two; do echo $name > "$3/usr/bin/$name"; done
"""


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def test_programs_are_taken_out_of_a_package_once_the_lists_are_there(machine: Path) -> None:
    program(machine / "apt-get", DOWNLOAD.format(folder=machine))
    program(machine / "dpkg-deb", EXTRACT)
    unpack("tools", "one", "two", into=machine / "cache")
    assert {path.name: path.read_text() for path in (machine / "cache").iterdir()} == {
        "one": "one\n",
        "two": "two\n",
    }


def test_a_package_without_the_program_is_reported(machine: Path) -> None:
    (machine / "updated").touch()
    program(machine / "apt-get", DOWNLOAD.format(folder=machine))
    program(machine / "dpkg-deb", EXTRACT)
    with pytest.raises(Missing, match=r"^tools_1.deb has no three"):
        unpack("tools", "one", "three", into=machine / "cache")
    assert not (machine / "cache").exists()


def test_why_nothing_could_be_unpacked_is_reported(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Missing, match="this is no Debian to get tools from"):
        unpack("tools", "one", into=machine / "cache")
    program(machine / "apt-get", DOWNLOAD.format(folder=machine))
    program(machine / "dpkg-deb", EXTRACT)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Missing, match="failed: E: Unable to locate package"):
        unpack("tools", "one", into=machine / "cache")

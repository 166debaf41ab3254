"""amtool out of Debian's package, on a machine that is made up."""

from pathlib import Path

import pytest

from scripts import amtool
from scripts.debian import Missing

APT_GET = """\
#!/bin/sh
[ "$2" = update ] && exec /bin/touch {folder}/updated
[ -e {folder}/updated ] || {{ echo "E: Unable to locate package"; exit 100; }}
echo package > alertmanager_1.deb
"""
DPKG_DEB = '#!/bin/sh\n/bin/mkdir -p "$3/usr/bin" && echo tool > "$3/usr/bin/amtool"\n'


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing but a shell, where this user is root."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(amtool, "PLACE", tmp_path / "cache" / "amtool")
    return tmp_path


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def test_it_is_taken_out_of_the_package_once_the_lists_are_there(machine: Path) -> None:
    program(machine / "apt-get", APT_GET.format(folder=machine))
    program(machine / "dpkg-deb", DPKG_DEB)
    assert amtool.fetch().read_text() == "tool\n"
    (machine / "apt-get").unlink()
    assert amtool.fetch() == amtool.PLACE


def test_one_on_the_path_is_taken_as_it_is(machine: Path) -> None:
    program(machine / "amtool", "#!/bin/sh\n")
    assert amtool.fetch() == machine / "amtool"


def test_the_reason_why_there_is_none_is_given(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Missing, match="this is no Debian to get prometheus-alertmanager from"):
        amtool.fetch()
    program(machine / "apt-get", APT_GET.format(folder=machine))
    program(machine / "dpkg-deb", DPKG_DEB)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(Missing, match="failed: E: Unable to locate package"):
        amtool.fetch()

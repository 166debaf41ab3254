"""Prometheus out of Debian's package: on a machine that is made up, and a real server."""

import subprocess
from pathlib import Path

import pytest

from scripts import prometheus
from scripts.debian import Missing
from tests.prometheus import Scrape
from tests.scripts.test_debian import program

EXTRACT = """\
#!/bin/sh
/bin/mkdir -p "$3/usr/bin"
for name in prometheus promtool; do echo $name > "$3/usr/bin/$name"; done
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing but a shell, where this user is root."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(prometheus, "PLACE", tmp_path / "cache")
    return tmp_path


def test_server_and_tool_are_unpacked_once(machine: Path) -> None:
    with pytest.raises(Missing, match=r"prometheus is not here: python -m scripts\.prometheus fetch"):
        prometheus.program("prometheus")
    program(machine / "apt-get", "#!/bin/sh\necho package > prometheus_1.deb\n")
    program(machine / "dpkg-deb", EXTRACT)
    assert prometheus.fetch().read_text() == "promtool\n"
    (machine / "apt-get").unlink()
    assert prometheus.fetch() == machine / "cache" / "promtool"
    assert prometheus.program("prometheus").read_text() == "prometheus\n"


def test_the_tool_alone_is_not_enough(machine: Path) -> None:
    program(machine / "promtool", "#!/bin/sh\n")
    with pytest.raises(Missing, match="this is no Debian to get prometheus from"):
        prometheus.fetch()


def test_a_server_scrapes_what_it_is_given(scrape: Scrape) -> None:
    server = scrape({"absent": ["127.0.0.1:1"], "twin": [scrape({}).address.removeprefix("http://")]})
    found = server.wait_for("up", until=lambda series: len(series) == 2)
    assert {each.labels["job"]: each.value for each in found} == {"absent": 0, "twin": 1}
    assert server.targets() == {"absent": "down", "twin": "up"}
    assert server.query("lapwing_none") == []
    assert server.query("1 + 1")[0].value == 2


def test_the_tool_is_promtool(promtool: Path) -> None:
    done = subprocess.run([promtool, "--version"], capture_output=True, text=True, check=True)
    assert "promtool, version" in done.stdout + done.stderr

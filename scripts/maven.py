"""Jars from Maven Central, named by a `pom.xml`, in a folder of .cache/."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.debian import Missing, require

JAVA_PACKAGE = "default-jre-headless"


def copy_jars(name: str, pom: Path, cache: Path) -> Path:
    """Return the folder of jars, after copying those that `pom` names where they are not there yet."""
    jars, stamp = cache / "jars", cache / "pom.xml"
    if stamp.exists() and stamp.read_bytes() == pom.read_bytes():
        return jars
    maven = require("mvn", JAVA_PACKAGE, "maven")
    print(f"fetching {name} from Maven Central", file=sys.stderr, flush=True)
    cache.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=cache))
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={fresh}"]
    command = [maven, "-B", "-q", "-f", str(pom), *goal]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(fresh)
        lines = [line for line in done.stdout.splitlines() if "ERROR" in line] or ["no word why"]
        msg = f"{name}'s jars could not be fetched: {lines[0]}"
        raise Missing(msg)
    shutil.rmtree(jars, ignore_errors=True)
    fresh.rename(jars)
    shutil.copyfile(pom, stamp)
    return jars

"""Packages of npm that a folder's `package-lock.json` names, installed in a copy of the folder in .cache/."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from scripts.debian import Missing, require

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "npm"


def installed(folder: Path) -> Path:
    """Return a copy of `folder` with its packages, made anew where its lock file has changed.

    Raises `Missing`.
    """
    target = CACHE / folder.name
    lock = target / "package-lock.json"
    if not lock.exists() or lock.read_bytes() != (folder / lock.name).read_bytes():
        _install(folder, target)
    for path in folder.iterdir():
        if path.is_file():
            shutil.copyfile(path, target / path.name)
    return target


def _install(folder: Path, target: Path) -> None:
    require("node", "nodejs")
    npm = require("npm", "npm")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as place:
        fresh = Path(place) / folder.name
        shutil.copytree(folder, fresh)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
        done = subprocess.run(
            command,
            cwd=fresh,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            lines = [line for line in done.stdout.splitlines() if "error" in line] or ["no word why"]
            msg = f"the packages of {folder.name} could not be fetched: {lines[0]}"
            raise Missing(msg)
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)

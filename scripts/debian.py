"""Debian's packages: installed where they are missing and this user may, or only unpacked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


class Missing(Exception):
    """Something a script needs is not here and cannot be installed; the text is the reason, in a line."""


def require(command: str, *packages: str) -> str:
    """Return the path of `command`; install `packages` first where it is missing. Raises `Missing`."""
    found = shutil.which(command)
    if found is None:
        install(command, *packages)
        found = shutil.which(command)
    if found is None:
        msg = f"{command} is not installed, nor is it after installing {' '.join(packages)}"
        raise Missing(msg)
    return found


def install(wanted: str, *packages: str) -> None:
    """Install `packages` with apt-get for the sake of `wanted`. Raises `Missing`."""
    names = " ".join(packages)
    apt = shutil.which("apt-get")
    if apt is None:
        msg = f"{wanted} is not installed, and this is no Debian to install {names} on"
        raise Missing(msg)
    if os.geteuid() != 0:
        msg = f"{wanted} is not installed, and only root may: apt-get install {names}"
        raise Missing(msg)
    print(f"installing {names} for {wanted}", file=sys.stderr, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(
            [apt, "-qq", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            last = done.stdout.strip().splitlines()[-1:] or ["no word why"]
            msg = f"{wanted} is not installed, and apt-get {arguments[0]} failed: {last[0]}"
            raise Missing(msg)


def unpack(package: str, *programs: str, into: Path) -> None:
    """Download `package` and copy `programs` of its `/usr/bin` to the folder `into`. Raises `Missing`.

    Nothing is installed and no service is started.
    """
    wanted = " and ".join(programs)
    apt, dpkg = shutil.which("apt-get"), shutil.which("dpkg-deb")
    if apt is None or dpkg is None:
        msg = f"{wanted} cannot be had: this is no Debian to get {package} from"
        raise Missing(msg)
    with tempfile.TemporaryDirectory(prefix="lapwing-unpack-") as folder:
        if os.geteuid() == 0:
            os.chmod(folder, 0o755)  # apt downloads as a user of its own
        failed = _failure([apt, "-qq", "download", package], folder)
        if failed and os.geteuid() == 0:
            failed = _failure([apt, "-qq", "update"], folder) or _failure(
                [apt, "-qq", "download", package], folder
            )
        packages = list(Path(folder).glob("*.deb"))
        if failed or not packages:
            msg = f"{wanted} cannot be had: apt-get download {package} failed: {failed or 'nothing came'}"
            raise Missing(msg)
        failed = _failure([dpkg, "--extract", str(packages[0]), "out"], folder)
        unpacked = [Path(folder, "out", "usr", "bin", program) for program in programs]
        absent = [program.name for program in unpacked if not program.is_file()]
        if failed or absent:
            msg = f"{packages[0].name} has no {' and no '.join(absent or programs)}: {failed}"
            raise Missing(msg)
        into.mkdir(parents=True, exist_ok=True)
        for program in unpacked:
            part = into / f"{program.name}.{os.getpid()}.part"
            shutil.copy2(program, part)
            part.replace(into / program.name)


def _failure(command: list[str], folder: str) -> str | None:
    """Run a command; return its last line where it failed."""
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return (done.stdout.strip().splitlines() or ["no word why"])[-1] if done.returncode else None

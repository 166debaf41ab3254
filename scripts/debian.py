"""Debian's packages, installed where they are missing and this user may."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


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

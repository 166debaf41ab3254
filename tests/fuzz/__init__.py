"""Whatever comes from outside is read or refused with a reason, and never ends a process.

`make fuzz SECONDS=60` looks for what is not, by changing the corpus and with atheris where it can be had.
What it finds it puts into `corpus/`, which `make test` reads. A target is a function in `targets.py`.
"""

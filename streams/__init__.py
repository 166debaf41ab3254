"""From events to warnings.

`contract`, `core`, `intake`, `rulebook`, `checkpoints`, `learning`, `files` and `simulate` are parts;
`worker`, `offline` and `backtest` drive them. `core` imports none of the others.
"""

__version__ = "0.1.0"

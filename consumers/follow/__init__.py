"""Topics of sources, followed by `lapwing import --follow`: their records become events of the contract.

The mapping comes in from outside: `sources` says what is needed of it.
"""

"""What `lapwing doctor` checks: a function of an `Installation` for each check, listed in `examine.py`.

It returns a line where all is well. It raises `Skipped` where it cannot be made, `Doubtful` where somebody
should look, and any other `LapwingError` where something is wrong.
"""

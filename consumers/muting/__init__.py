"""What the team is not told of, and why: a function of a warning's step and of what is known, no more."""

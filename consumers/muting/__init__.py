"""Which notices are not sent, and why: a function of a step, the silences and the earlier notices."""

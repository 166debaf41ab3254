"""Test cases of rules: a timeline of events in relative time, and what it must and must not set off."""

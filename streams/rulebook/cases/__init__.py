"""Test cases of rules, written in YAML as timelines of events and of the warnings expected."""

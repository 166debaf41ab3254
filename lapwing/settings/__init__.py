"""The settings: their fields, their values from file, environment and flags, and the page about them.

A part's settings are a class of their own, with the `heading` above them in docs/settings.md; `settings` puts
the classes together and reads the values.
"""

"""The settings: their fields, their values from file, environment and flags, and the page about them."""

"""The scorecard and the win-back list as text and pages, and what they are read from."""

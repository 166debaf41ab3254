"""Tests of `consumers.reports`."""

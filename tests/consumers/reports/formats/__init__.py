"""Tests of `consumers.reports.formats`."""

"""Tests of `consumers.page`."""

"""Tests of effects of plays."""

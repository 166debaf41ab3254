"""Conditions of rules: parsed, compiled to columns, formatted, and how far a value is from a verdict."""

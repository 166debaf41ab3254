"""Churn probability inside the engine: scoring, labels that come a horizon later, and prequential quality."""

"""What `backtest`, `rules diff` and `rules tune` share: reading a history, tables and pages."""

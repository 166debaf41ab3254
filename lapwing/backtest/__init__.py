"""What `backtest`, `rules diff` and `rules tune` share: reading a history, and telling of it."""

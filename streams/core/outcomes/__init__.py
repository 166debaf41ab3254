"""What became of customers and of warnings: lapses and returns, matured causes and warnings, the census."""

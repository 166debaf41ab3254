"""What commands show in a terminal: results, progress, status lines."""

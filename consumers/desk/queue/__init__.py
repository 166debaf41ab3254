"""The open warnings in the order in which to work on them."""

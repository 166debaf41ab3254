"""Groups of customers: daily sums by segment, their features, rules and warnings."""

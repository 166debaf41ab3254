"""What is known of each customer, and the catalogue of features that is computed from it."""

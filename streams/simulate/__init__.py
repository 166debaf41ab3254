"""A seeded shop with known truth, of any size: who buys, complains, goes on holiday, and leaves."""

"""The desk as JSON, with the same rights."""

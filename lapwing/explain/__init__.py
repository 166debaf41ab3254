"""How an explanation is shown: as text and as JSON."""

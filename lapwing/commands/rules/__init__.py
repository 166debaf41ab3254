"""What `lapwing rules` does: check, test, compare and tune rule files, and list their changes."""

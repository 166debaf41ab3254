"""What older versions wrote, in `versions/`, and how it is read."""

"""The state of a partition on disk: where it is stored, when it is saved, how it is restored."""

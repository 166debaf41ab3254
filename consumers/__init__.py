"""From warnings to people and storage: SQL sink, notifier, tail."""

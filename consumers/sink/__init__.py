"""From the warnings topic into the database."""

"""Who signs in, and what they may do: people and their roles, sessions, ways to sign in, the audit log."""

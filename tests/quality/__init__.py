"""Quality of the model in fixed, seeded scenarios: a change that spoils warnings fails here."""

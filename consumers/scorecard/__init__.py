"""How good alarms are, from what became of them: by rule and tier, and who left without a warning."""

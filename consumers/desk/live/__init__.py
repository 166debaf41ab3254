"""What changes while somebody looks: new warnings, colleagues' actions, who else looks."""

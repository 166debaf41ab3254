"""A rule and a set of rules, with what one has beside conditions: phrases, messages, inhibition."""

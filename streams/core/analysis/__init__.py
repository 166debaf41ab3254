"""What can be proved about conditions without data: ranges, satisfiability, examples."""

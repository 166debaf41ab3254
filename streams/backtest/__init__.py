"""What rules would have done: a history through the engine, held against what customers did next."""

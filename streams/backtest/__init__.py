"""What rules would have done: a history through the engine, compared with what customers did next."""

"""Several processes of one command on one machine: who starts and ends them, and what they show together."""

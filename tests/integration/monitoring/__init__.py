"""What watches Lapwing: a real Prometheus that scrapes a whole installation, in order and in trouble."""

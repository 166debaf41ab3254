"""The demo: embedded broker, worker, sink and a live simulated shop in one process tree."""

"""The desk in a browser, on the real stack: broker, worker, sink, desk."""

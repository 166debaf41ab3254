"""The same job as it is usually written: an event at a time, on plain Faust and on Quix Streams."""

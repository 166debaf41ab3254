"""What goes over the wire: events, warnings and other records, their schemas, and a fast decoder."""

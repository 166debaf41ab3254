"""What goes over the wire: inbound events, outbound warnings, refusals and their schemas."""

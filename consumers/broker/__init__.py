"""Kafka for consumers: the only client, its errors, its security settings, and topics."""

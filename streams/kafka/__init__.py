"""What both Kafka clients share: errors by the names of their classes, and why a broker lets nobody in."""

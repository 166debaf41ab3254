"""From events to warnings: contract, pure core, intake from Kafka, agents, learning, replay."""

__version__ = "0.1.0"

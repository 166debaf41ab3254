"""The Faust worker: what it does with its partitions, one way from polls to records.

    Pipeline.take     -> PartitionTask (merge, engine) -> Outbox -> RecordDelivery -> broker
    Pipeline.assigned -> AssignedPartitions -> StateRestorer (checkpoint, sent steps) -> PartitionTask
    Pipeline.save     -> CheckpointSaver -> TaskStates (snapshots) -> CheckpointStore, the group's commit
    Pipeline.reload   -> RuleReloader -> RuleRollout -> PartitionTask.adopt, at a checkpoint

Each calls what stands to its right and knows nothing of what stands to its left: `Pipeline` wires them
together, `app` puts it into Faust, `run` starts and stops that. What the worker knows of a partition stands
in its `PartitionTask` and nowhere else.
"""

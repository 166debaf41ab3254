"""Events as columns, in event time: batches, topics, the calendar, order of arrival, repeats, partitions."""

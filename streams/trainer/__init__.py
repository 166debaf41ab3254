"""The process that learns for all partitions: samples in, models out.

    samples topic -> SharedLearner -> checkpoint -> the group's commit -> models topic

It knows workers by what they put on the samples topic only, and they know it by its models.
"""

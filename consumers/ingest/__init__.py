"""The HTTP intake: signed webhooks of shops and payment services, mapped and written to the event topics.

A delivery is verified, mapped, and written; only when the broker has acknowledged it is it answered with 200.
"""

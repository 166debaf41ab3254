"""Where modules without a test file of their own are tested.

attempt: integration/test_consumers_notify
bundles, due_messages: test_router
outbox: test_notifier
template_samples: test_templates
"""

"""Where modules without a test file of their own are tested.

import_topics: integration/test_import_follow
demo: integration/test_demo
desk: lapwing/test_desk
desk_token: lapwing/test_people
doctor: lapwing/doctor/test_examine
ingest: integration/test_ingest
learn, models: integration/test_learner
sink, tail: integration/test_consumers_broker
worker: integration/test_worker_command
"""

"""Where modules without a test file of their own are tested.

act, backtest, demo, desk, doctor, effects, erase, explain, history: lapwing/test_cli
ingest, lapsed, learn, model: lapwing/test_cli
erasures: lapwing/commands/test_backtest
notify, plays, record_source: lapwing/test_cli
import, replay, report, scorecard, silence, simulate, sink, tail, topics, warnings, worker: lapwing/test_cli
"""

"""Monitors that watch the events, the evaluator that asks them, and the inbox where people judge alerts."""

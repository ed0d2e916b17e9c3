"""Batch runs: plan, shards of layers, worker processes, and the join into documents.jsonl."""

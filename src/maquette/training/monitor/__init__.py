"""Watching a run: what it logs, how healthy it is, what it needs, and looking at it from outside.

Read `log` first: `metrics.jsonl`, which all others write or read. `meter` collects the terms of steps and the pace;
`probe` measures the networks and `health` judges the rows; `samples` draws sheets. `memory` counts what a step needs
and `estimate` turns that into hours before a run starts. `runs` lists and draws runs without PyTorch, `doctor` examines
one with its checkpoints, and `environment` records versions and the machine.
"""

"""Prints the median processor time of an update in milliseconds: busy, many errors, 118 latency buckets.

A program of its own, so that coverage does not slow down what it measures.
"""

from __future__ import annotations

import sys
import time
from random import Random

from manuel_release.verdict import ArmCounts, Judge

random = Random("speed")
hists = [tuple(random.choices(range(40), k=118)) for _ in range(2)]
judge = Judge()
for i in range(30):
    judge.warmup(10.0 * (i - 30), ArmCounts(2000, 20, 40, hists[0]))
spent = []
for i in range(90):
    weight = 0.1 if i < 30 else 0.5
    errors = 300 if i % 3 else 10
    stable = ArmCounts(round(2000 * (1 - weight)), 20, errors, hists[0], weight)
    canary = ArmCounts(round(2000 * weight), 5, round(errors * weight), hists[1], weight)
    begin = time.process_time()
    judge.update(10.0 * (i + 1), stable, canary)
    spent.append(time.process_time() - begin)
sys.stdout.write(f"{1000.0 * sorted(spent)[len(spent) // 2]:.3f}")

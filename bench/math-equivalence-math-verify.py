"""Judges the rows of data/math-equivalence.jsonl with math-verify, as data/README of the rows says: one JSON line a row, best of three times."""

import json
import logging
import sys
import time

from math_verify import LatexExtractionConfig, StringExtractionConfig, parse, verify

logging.disable(logging.CRITICAL)
CHOICES = [StringExtractionConfig(strings=("A", "B", "C", "D", "E"))]


def verdict(row):
    gold = "\\boxed{" + row["gold"] + "}"
    if row["family"] == "choices":
        found = verify(parse(gold, CHOICES), parse(row["answer"], CHOICES))
        if found:
            return True
    return bool(verify(parse(gold), parse(row["answer"])))


for line in open(sys.argv[1], encoding="utf8"):
    row = json.loads(line)
    best, result = float("inf"), False
    for attempt in range(3):
        start = time.process_time()
        try:
            result = verdict(row)
        except Exception:
            result = False
        best = min(best, (time.process_time() - start) * 1000)
        if best > 1000:
            break
    print(json.dumps({"id": row["id"], "ms": best, "verdict": result}))

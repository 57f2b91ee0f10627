"""Steps per second of ScienceWorld's own Python client. Reads {task, variation, simplification, actions, seconds, mode} from stdin, prints one JSON line.

Needs `pip install scienceworld==1.2.3` and Java.
"""

import json
import sys
import time

from scienceworld import ScienceWorldEnv

job = json.load(sys.stdin)
env = ScienceWorldEnv("", None, envStepLimit=10**6)
env.load(job["task"], job["variation"], job["simplification"], generateGoldPath=False)


def same_calls(action):
    env.server.step(action)
    env.server.getScore()
    env.server.getCompleted()
    env.server.getNumMoves()


step = same_calls if job["mode"] == "calls" else env.step
for action in job["actions"]:  # the JVM compiles what runs often
    step(action)
steps, spent = 0, 0.0
while spent < job["seconds"]:
    env.load(job["task"], job["variation"], job["simplification"], generateGoldPath=False)
    start = time.perf_counter()
    for action in job["actions"]:
        step(action)
        steps += 1
        if time.perf_counter() - start + spent > job["seconds"]:
            break
    spent += time.perf_counter() - start
print(json.dumps({"stepsPerSecond": steps / spent}), flush=True)
env.close()

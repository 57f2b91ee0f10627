"""Steps per second of ScienceWorld's own Python client. Reads {task, variation, simplification, actions, seconds, mode} from stdin, prints one JSON line.

Needs `pip install scienceworld==1.2.3` and Java.
"""

import json
import os
import sys
import time

from scienceworld import ScienceWorldEnv

job = json.load(sys.stdin)
env = ScienceWorldEnv("", None, envStepLimit=10**6)
env.load(job["task"], job["variation"], job["simplification"], generateGoldPath=False)


def cpu():
    """Seconds of processor time of this process and its JVM."""
    with open(f"/proc/{env._gateway.java_process.pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def same_calls(action):
    env.server.step(action)
    env.server.getScore()
    env.server.getCompleted()
    env.server.getNumMoves()


step = same_calls if job["mode"] == "calls" else env.step
for action in job["actions"]:  # the JVM compiles what runs often
    step(action)
steps, spent, used = 0, 0.0, 0.0
while used < job["seconds"]:
    env.load(job["task"], job["variation"], job["simplification"], generateGoldPath=False)
    start, start_cpu = time.perf_counter(), cpu()
    for action in job["actions"]:
        step(action)
        steps += 1
    spent += time.perf_counter() - start
    used += cpu() - start_cpu
print(json.dumps({"wall": steps / spent, "cpu": steps / used}), flush=True)
env.close()

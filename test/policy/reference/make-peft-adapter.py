"""Makes peft-adapter/ (random weights, by Python's peft, for llama-untied) and peft-adapter.json (its logits by transformers and peft).

Usage, in the root of the repository: python test/policy/reference/make-peft-adapter.py        needs: torch, transformers, peft
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path("test/policy/reference")
ADAPTER = HERE / "peft-adapter"
IDS = [3, 17, 42, 5, 60]


def python(*args):
    subprocess.run([sys.executable, "bench/python-models.py", *map(str, args)], check=True)


def logits(folder):
    with tempfile.NamedTemporaryFile(suffix=".f32") as out:
        python("logits", folder, out.name, ",".join(map(str, IDS)))
        values = np.fromfile(out.name, "<f4").reshape(len(IDS), -1)
    return [[float(f"{value:.7g}") for value in row] for row in values]


python("adapter", HERE / "llama-untied", ADAPTER, "--rank", 2, "--alpha", 3, "--targets", "q_proj,v_proj,down_proj")
numbers = {"ids": IDS, "logits": logits(ADAPTER)}
file = ADAPTER / "adapter_config.json"
plain = file.read_text()
file.write_text(json.dumps({**json.loads(plain), "use_rslora": True}))
numbers["rsloraLogits"] = logits(ADAPTER)
file.write_text(plain)
(HERE / "peft-adapter.json").write_text(json.dumps(numbers) + "\n")

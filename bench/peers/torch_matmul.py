"""torch's own float32 product of two square matrices, four in a row. One repetition per stdin line."""
import argparse
from common import *
a = argparse.ArgumentParser(); a.add_argument("--size", type=int, default=2048); a = a.parse_args()
import torch
torch.set_num_threads(THREADS)
x = torch.rand(a.size, a.size) * 2 - 1; w = (torch.rand(a.size, a.size) * 2 - 1) * (3 / a.size) ** 0.5
def rep():
    y = x
    for _ in range(4): y = y @ w
    return {"sum": float(y.sum())}
t0 = time.time(); rep()
serve(rep, dict(flops=4 * 2 * a.size**3, first_s=round(time.time() - t0, 2)))

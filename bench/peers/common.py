import os, sys, json, time, resource
os.environ.setdefault("HF_HUB_OFFLINE", "1"); os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
THREADS = int(os.environ.get("BENCH_THREADS", "2"))
def hwm():
    for l in open("/proc/self/status"):
        if l.startswith("VmHWM"): return int(l.split()[1]) * 1024 / 1e9
def shape(s):  # d,L,H,KV,hd,ff,V
    d, L, H, KV, hd, ff, V = map(int, s.split(",")); return dict(d=d, L=L, H=H, KV=KV, hd=hd, ff=ff, V=V)
SMOL = shape("576,30,9,3,64,1536,49152")
def n_body(c): return c["L"] * (c["d"] * c["hd"] * (2 * c["H"] + 2 * c["KV"]) + 3 * c["d"] * c["ff"])
def n_lora(c, r):
    d, q, k, f = c["d"], c["H"] * c["hd"], c["KV"] * c["hd"], c["ff"]
    return c["L"] * r * ((d + q) + 2 * (d + k) + (q + d) + 2 * (d + f) + (f + d))
def train_flops(c, B, T, lora=0):
    """matrix work only: full 6*(N_body+V*d) per token; LoRA 4*(N_body+V*d)+6*N_lora; attention 12*L*H*hd*T (full square)"""
    n = n_body(c) + c["V"] * c["d"]
    return B * T * ((4 * n + 6 * n_lora(c, lora)) if lora else 6 * n) + 12 * c["L"] * B * c["H"] * T * T * c["hd"]
def ready(info):
    names = ("torch", "transformers", "peft", "trl")
    print("READY" + json.dumps({**info, "versions": {n: sys.modules[n].__version__ for n in names if n in sys.modules}}), flush=True)
def serve(rep, info):
    ready(info)
    for _ in sys.stdin:
        c0 = time.process_time(); t0 = time.perf_counter(); extra = rep() or {}
        dt = time.perf_counter() - t0
        print(json.dumps({"s": extra.pop("s", dt), "cpu_s": time.process_time() - c0, "rss_gb": hwm(), **extra}), flush=True)

"""transformers generate: new tokens by sampling after random prompts. One repetition per stdin line. MODEL_F32 = model folder."""
import argparse
from common import *
a = argparse.ArgumentParser()
a.add_argument("--batch", type=int, default=32); a.add_argument("--prompt", type=int, default=64); a.add_argument("--tokens", type=int, default=64)
a.add_argument("--group", type=int, default=1, help="rows with one prompt"); a.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"]); a = a.parse_args()
import torch
from transformers import AutoModelForCausalLM
torch.set_num_threads(THREADS)
m = AutoModelForCausalLM.from_pretrained(os.environ["MODEL_F32"], dtype=getattr(torch, a.dtype)).eval()
ids = torch.randint(10, min(40000, m.config.vocab_size), (a.batch // a.group, a.prompt)).repeat_interleave(a.group, 0); am = torch.ones_like(ids)
def rep():
    with torch.no_grad(): o = m.generate(input_ids=ids, attention_mask=am, max_new_tokens=a.tokens, min_new_tokens=a.tokens, do_sample=True, temperature=1.0, top_k=0, pad_token_id=0)
    return {"length": o.shape[1] - a.prompt}
t0 = time.time(); rep()
serve(rep, dict(tokens=a.batch * a.tokens, first_s=round(time.time() - t0, 2)))

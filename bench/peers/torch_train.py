"""forward + backward of mean(logp*adv) + 0.01*mean(entropy) in torch. One repetition per stdin line."""
import argparse, os
from common import *
a = argparse.ArgumentParser()
a.add_argument("--model", default=os.environ.get("MODEL_F32")); a.add_argument("--shape"); a.add_argument("--B", type=int, default=4); a.add_argument("--T", type=int, default=128)
a.add_argument("--lora", type=int, default=0); a.add_argument("--dtype", default="fp32", choices=["fp32", "bf16", "autocast", "fp32mm_bf16"])
a.add_argument("--score", type=int, default=0, help="score the last so many tokens of each row only; 0: all"); a.add_argument("--compile", action="store_true"); a.add_argument("--ckpt", action="store_true"); a = a.parse_args()
import torch
torch.set_num_threads(THREADS)
if a.dtype == "fp32mm_bf16": torch.set_float32_matmul_precision("medium"); torch.backends.mkldnn.matmul.fp32_precision = "bf16"
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM
if a.shape:
    c = shape(a.shape)
    m = LlamaForCausalLM(LlamaConfig(hidden_size=c["d"], num_hidden_layers=c["L"], num_attention_heads=c["H"], num_key_value_heads=c["KV"], head_dim=c["hd"], intermediate_size=c["ff"], vocab_size=c["V"], tie_word_embeddings=True, max_position_embeddings=2048))
else: c = SMOL; m = AutoModelForCausalLM.from_pretrained(a.model, dtype=torch.float32)
if a.dtype == "bf16": m = m.to(torch.bfloat16)
m.config.use_cache = False; m.train()
if a.lora:
    from peft import LoraConfig, get_peft_model
    m = get_peft_model(m, LoraConfig(r=a.lora, lora_alpha=2 * a.lora, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"))
if a.ckpt: m.gradient_checkpointing_enable()
S = a.score or a.T; N = a.B * S
ids = torch.randint(0, c["V"], (a.B, a.T)); tgt = torch.roll(ids, -1, 1)[:, -S:]; adv = torch.randn(a.B, S) / N
ac = torch.autocast("cpu", torch.bfloat16, enabled=a.dtype == "autocast")
def loss_fn(ids, tgt, adv):
    with ac: lg = m(input_ids=ids, logits_to_keep=a.score).logits
    ls = torch.log_softmax(lg.float(), -1)
    lp = ls.gather(-1, tgt[..., None])[..., 0]
    H = -(ls.exp() * ls).sum(-1)
    return -(lp * adv).sum() - 0.01 * H.mean()
f = torch.compile(loss_fn) if a.compile else loss_fn
ps = [p for p in m.parameters() if p.requires_grad]
def rep():
    for p in ps: p.grad = None
    l = f(ids, tgt, adv); l.backward(); return {"loss": float(l)}
t0 = time.time(); rep(); first = time.time() - t0
serve(rep, dict(tokens=N, first_s=round(first, 2), **({} if a.score else dict(flops=train_flops(c, a.B, a.T, a.lora)))))

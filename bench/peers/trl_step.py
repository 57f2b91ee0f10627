"""Whole steps of TRL's GRPOTrainer. usage: trl_step.py full|lora|tiny [bf16]; the first step warms up, then one step per stdin line. MODEL_F32 = model folder."""
import time; T0 = time.time()
from common import *
import tempfile, torch; torch.set_num_threads(THREADS)
from transformers import AutoTokenizer, AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, TrainerCallback
from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer
mode, bf = sys.argv[1], "bf16" in sys.argv[2:]
path = os.environ["MODEL_F32"]; tok = AutoTokenizer.from_pretrained(path)
if mode == "tiny":
    m = LlamaForCausalLM(LlamaConfig(hidden_size=128, num_hidden_layers=4, num_attention_heads=2, num_key_value_heads=2, head_dim=64, intermediate_size=384, vocab_size=len(tok), tie_word_embeddings=True)); P, G, L, pt = 16, 8, 32, "What is %d + %d ?"
else: m = AutoModelForCausalLM.from_pretrained(path, dtype=torch.bfloat16 if bf and mode=="lora" else torch.float32); P, G, L, pt = 2, 8, 64, "Compute %d + %d and explain each step briefly, then give the final answer after ####. Use digits only please."
ds = Dataset.from_list([{"prompt": pt % (i, 3 * i)} for i in range(200)])
class Serve(TrainerCallback):
    def on_step_begin(self, args, state, control, **k):
        if state.global_step > 0 and not sys.stdin.readline(): os._exit(0)
        self.c, self.t = time.process_time(), time.perf_counter()
    def on_step_end(self, args, state, control, **k):
        s = time.perf_counter() - self.t
        if state.global_step == 1: ready(dict(tokens=P * G * L, first_s=round(time.time() - T0, 2)))
        else: print(json.dumps({"s": s, "cpu_s": time.process_time() - self.c, "rss_gb": hwm()}), flush=True)
peft = None
if mode == "lora":
    from peft import LoraConfig; peft = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
with tempfile.TemporaryDirectory() as out:
    cfg = GRPOConfig(output_dir=out, per_device_train_batch_size=P * G, num_generations=G, max_completion_length=L, max_steps=100000, beta=0.0, use_cpu=True, bf16=bf, report_to=[], save_strategy="no", logging_strategy="no", gradient_checkpointing=False, learning_rate=1e-5, generation_kwargs={"min_new_tokens": L}, disable_tqdm=True)
    tr = GRPOTrainer(model=m, reward_funcs=lambda completions, **k: [float(sum(c.isdigit() for c in x)) for x in completions], args=cfg, train_dataset=ds, processing_class=tok, peft_config=peft, callbacks=[Serve()])
    tr.train()

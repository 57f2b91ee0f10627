"""Makes the reference numbers of this folder with PyTorch and transformers (eager attention, CPU).

Usage: python make.py            needs: torch, transformers, safetensors, gguf, numpy
Writes per model NAME.json (numbers in the form of data/smollm2/reference.json and gradients.json), NAME/ (config.json and random
float32 weights as transformers saves them) and NAME.f16.gguf (the same model in GGUF's names and order, matrices in float16);
and quantized.json (random blocks of every GGUF type and their values by the gguf package).

transformers computes norms, softmax and rotary angles in float32 even when the weights are float64. For the float64 numbers its
constants are widened: torch.float32 means float64 and Tensor.float() means Tensor.double() while the float64 model runs, and
the rotary frequencies are computed anew. `maxLogprobDiff32vs64` shows that both runs are the same function.
"""

import base64
import hashlib
import json
import shutil
from pathlib import Path

import gguf
import numpy as np
import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

HERE = Path(__file__).parent
SHAPE = dict(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=40, vocab_size=64,
    max_position_embeddings=128, rms_norm_eps=1e-6, bos_token_id=1, eos_token_id=2, pad_token_id=0,
)
MODELS = {
    "llama-untied": (LlamaForCausalLM, LlamaConfig, dict(head_dim=16, tie_word_embeddings=False, rope_theta=10000.0)),
    "qwen2-tied": (Qwen2ForCausalLM, Qwen2Config, dict(tie_word_embeddings=True, rope_theta=1000000.0)),
    "qwen3-untied": (Qwen3ForCausalLM, Qwen3Config, dict(head_dim=16, tie_word_embeddings=False, rope_theta=1000000.0)),
    "qwen3-tied": (Qwen3ForCausalLM, Qwen3Config, dict(head_dim=16, tie_word_embeddings=True, rope_theta=500000.0)),
}
GREEDY_TOKENS = 24


def build(name, index):
    model_class, config_class, extra = MODELS[name]
    theta = extra["rope_theta"]
    extra = {key: value for key, value in extra.items() if key != "rope_theta"}
    config = config_class(**SHAPE, **extra, rope_parameters=dict(rope_type="default", rope_theta=theta))
    config._attn_implementation = "eager"
    model = model_class(config)
    draw = np.random.default_rng(100 + index)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            shape = tuple(parameter.shape)
            if "norm" in key:
                values = 1 + 0.4 * draw.standard_normal(shape)
            elif key.endswith("bias"):
                values = 0.5 * draw.standard_normal(shape)
            elif "embed" in key:
                values = 0.4 * draw.standard_normal(shape)
            else:
                values = 1.2 * draw.standard_normal(shape) / np.sqrt(shape[1])
            parameter.copy_(torch.from_numpy(values.astype(np.float32)))
    model.eval()
    return model, theta


class Wide:
    """While open, torch.float32 means float64 for the code of transformers."""

    def __enter__(self):
        self.saved = (torch.float32, torch.Tensor.float)
        torch.float32, torch.Tensor.float = torch.float64, torch.Tensor.double

    def __exit__(self, *_):
        torch.float32, torch.Tensor.float = self.saved


def widen(model, theta):
    wide = model.double()
    rotary = wide.model.rotary_emb
    size = model.config.head_dim if getattr(model.config, "head_dim", None) else SHAPE["hidden_size"] // SHAPE["num_attention_heads"]
    rotary.inv_freq = 1.0 / theta ** (torch.arange(0, size, 2, dtype=torch.float64) / size)
    assert rotary.attention_scaling == 1.0
    return wide


def distributions(model, ids):
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]
    return logits, torch.log_softmax(logits, dim=-1)


def score(model, prompt, greedy, with_prompt):
    ids = prompt + greedy
    logits, logp = distributions(model, ids)
    at = range(len(prompt) - 1, len(ids) - 1)
    best = [torch.topk(logits[t], 2).values for t in at]
    top = torch.topk(logits[len(prompt) - 1], 5)
    result = dict(
        logprobs=[logp[t, ids[t + 1]].item() for t in at],
        entropies=[-(logp[t].exp() * logp[t]).sum().item() for t in at],
        top5=[dict(id=int(i), logit=float(v)) for v, i in zip(top.values, top.indices)],
        minTop2Margin=min((b[0] - b[1]).item() for b in best),
        argmaxEqualsGreedy=all(int(logits[t].argmax()) == ids[t + 1] for t in at),
    )
    if with_prompt:
        result["promptLogprobs"] = [logp[t, ids[t + 1]].item() for t in range(len(prompt) - 1)]
    return result


def greedy_ids(model, prompt):
    ids = list(prompt)
    while len(ids) < len(prompt) + GREEDY_TOKENS:
        ids.append(int(distributions(model, ids)[0][-1].argmax()))
        if ids[-1] == SHAPE["eos_token_id"]:
            break
    return ids[len(prompt):]


def gradients(model, ids):
    model.zero_grad()
    logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, :-1]
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(ids[1:]))
    loss.backward()
    named = {key: parameter.grad.double() for key, parameter in model.named_parameters()}
    return dict(
        lossValue=loss.item(),
        globalNorm=float(sum((g**2).sum() for g in named.values()) ** 0.5),
        norms={key: g.norm().item() for key, g in named.items()},
        first4={key: g.flatten()[:4].tolist() for key, g in named.items()},
        sum={key: g.sum().item() for key, g in named.items()},
    )


def check_gradient(model, ids):
    """Central difference along a random direction: holds to 1e-7 only if the whole loss is computed in float64."""
    parameters = dict(model.named_parameters())
    draw = np.random.default_rng(11)
    direction = {key: torch.from_numpy(draw.standard_normal(tuple(p.shape))) for key, p in parameters.items()}
    slope = sum((parameters[key].grad * direction[key]).sum().item() for key in parameters)

    def loss_at(step):
        with torch.no_grad():
            for key, p in parameters.items():
                p.add_(direction[key], alpha=step)
            logp = distributions(model, ids)[1]
            loss = -sum(logp[t, ids[t + 1]].item() for t in range(len(ids) - 1)) / (len(ids) - 1)
            for key, p in parameters.items():
                p.sub_(direction[key], alpha=step)
        return loss

    step = 1e-6
    difference = (loss_at(step) - loss_at(-step)) / (2 * step)
    assert abs(difference - slope) <= 1e-7 * abs(slope), (difference, slope)
    return abs(difference - slope) / abs(slope)


def fingerprints(model):
    result = {}
    for key, parameter in model.named_parameters():
        values = parameter.detach().numpy()
        assert values.dtype == np.float32
        result[key] = dict(
            shape=list(values.shape), sha256=hashlib.sha256(values.tobytes()).hexdigest(),
            sum64=float(values.astype(np.float64).sum()), first4=[float(v) for v in values.flatten()[:4]],
        )
    return result


LAYER_NAMES = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}


def gguf_name(key):
    fixed = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight", "lm_head.weight": "output.weight"}
    if key in fixed:
        return fixed[key]
    _, _, layer, rest = key.split(".", 3)
    stem, kind = rest.rsplit(".", 1)
    return f"blk.{layer}.{LAYER_NAMES[stem]}.{kind}"


def write_gguf(path, name, model, theta):
    config = model.config
    family = name.split("-")[0]
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer = gguf.GGUFWriter(path, family)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head_dim)
    writer.add_value_length(head_dim)
    writer.add_rope_dimension_count(head_dim)
    writer.add_rope_freq_base(theta)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(0)
    for key, parameter in model.named_parameters():
        values = parameter.detach().numpy()
        heads = {"q_proj.weight": config.num_attention_heads, "k_proj.weight": config.num_key_value_heads}.get(".".join(key.split(".")[-2:]))
        if family == "llama" and heads:  # split halves to interleaved pairs, as llama.cpp stores Llama
            values = values.reshape(heads, 2, head_dim // 2, -1).swapaxes(1, 2).reshape(values.shape)
        writer.add_tensor(gguf_name(key), np.ascontiguousarray(values.astype(np.float16) if values.ndim == 2 else values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make_model(name, index):
    model, theta = build(name, index)
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    (folder / "generation_config.json").unlink(missing_ok=True)
    write_gguf(HERE / f"{name}.f16.gguf", name, model, theta)
    weights = fingerprints(model)
    draw = np.random.default_rng(500 + index)
    prompts = [[1], [1, *map(int, draw.integers(3, 64, 6))], list(map(int, draw.integers(3, 64, 40)))]
    text = list(map(int, draw.integers(3, 64, 48)))
    float32 = [score(model, p, greedy_ids(model, p), False) for p in prompts]
    gradient32 = gradients(model, text)
    wide = widen(model, theta)
    with Wide():
        rows = []
        for i, prompt in enumerate(prompts):
            greedy = greedy_ids(wide, prompt)
            exact = score(wide, prompt, greedy, True)
            rows.append(dict(
                id=f"prompt-{i}", kind="raw", promptIds=prompt, promptTokens=len(prompt), greedyIds=greedy,
                stop="eos" if greedy[-1] == 2 else "length", float32=float32[i], float64=exact,
                maxLogprobDiff32vs64=max(abs(a - b) for a, b in zip(float32[i]["logprobs"], exact["logprobs"])),
            ))
        gradient64 = gradients(wide, text)
        error = check_gradient(wide, text)
    norms = [(gradient32["norms"][key], gradient64["norms"][key]) for key in gradient64["norms"]]
    return dict(
        model=dict(name=name, architecture=json.loads((folder / "config.json").read_text())["architectures"][0]),
        how=dict(
            software=f"torch {torch.__version__}, transformers {transformers.__version__}, CPU, eager attention",
            what="random weights; made by make.py in this folder, which says how the float64 numbers are computed",
            tolerance="compare with float64",
        ),
        weights=weights, prompts=rows, ids=text, tokens=len(text), predicted=len(text) - 1,
        loss="mean over the next-token negative log-likelihoods of ids", float32=gradient32, float64=gradient64,
        differenceQuotientError=error,
        maxRelNormDiff32vs64=max(abs(a - b) / b for a, b in norms),
    )


def make_quantized():
    draw = np.random.default_rng(7)
    scales = {"Q4_0": [0], "Q4_1": [0, 2], "Q8_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
    result = {}
    for name in ["F16", "BF16", *scales]:
        kind = gguf.GGMLQuantizationType[name]
        values, size = gguf.GGML_QUANT_SIZES[kind]
        blocks = 4 if values > 1 else 64
        data = draw.integers(0, 256, (blocks, size), dtype=np.uint8)
        for block in range(blocks):  # finite scales: subnormal, large, small, negative
            for at in scales.get(name, [0] if name == "F16" else []):
                half = np.float16([3e-7, 61.5, 0.0123, -1.7][block % 4] * (1 + draw.random()))
                data[block, at:at + 2] = np.frombuffer(half.tobytes(), np.uint8)
        if name == "BF16":
            data[:, 1] &= 0xBF  # no infinities
        expected = gguf.dequantize(data.reshape(1, -1), kind).astype(np.float32)
        result[name] = dict(data=base64.b64encode(data.tobytes()).decode(), float32=base64.b64encode(expected.tobytes()).decode())
    return dict(software=f"gguf (Python) with numpy {np.__version__}", what="base64 of stored blocks and of their little-endian float32 values", types=result)


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_num_threads(1)
    (HERE / "quantized.json").write_text(json.dumps(make_quantized(), indent=1) + "\n")
    for index, name in enumerate(MODELS):
        made = make_model(name, index)
        (HERE / f"{name}.json").write_text(json.dumps(made, indent=1) + "\n")
        worst = max(row["maxLogprobDiff32vs64"] for row in made["prompts"])
        margin = min(row["float64"]["minTop2Margin"] for row in made["prompts"])
        print(name, f"logprob 32 vs 64: {worst:.2e}", f"norm 32 vs 64: {made['maxRelNormDiff32vs64']:.2e}", f"smallest margin {margin:.3f}")

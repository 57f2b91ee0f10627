"""The Python side of python-models.ts: what transformers and peft make of the same folders, on the processor.

Usage: python python-models.py adapter BASE OUT [--rank R] [--alpha A] [--targets a,b] [--rslora] [--seed S]
           writes a LoRA adapter with random weights for a model folder
       python python-models.py logits FOLDER OUT.f32 IDS [--wide]
           writes the logits of a model or adapter folder for token ids (1,2,3): little-endian float32, [tokens, vocabulary]; --wide computes in float64
Needs: torch, transformers, peft.
"""

import argparse
from pathlib import Path

import torch
from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

LINEAR = "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj"


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def make_adapter(options):
    torch.manual_seed(options.seed)
    config = LoraConfig(
        r=options.rank, lora_alpha=options.alpha, target_modules=options.targets.split(","), use_rslora=options.rslora,
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(load(options.base), config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.normal_(std=options.scale / parameter.shape[1] ** 0.5)
    model.save_pretrained(options.out)
    Path(options.out, "README.md").unlink(missing_ok=True)


def wide_logits(model, ids):
    """transformers computes norms, softmax and rotary angles in float32 whatever the weights are: here float32 means float64 meanwhile."""
    model.double()
    rotary = next(module for module in model.modules() if hasattr(module, "inv_freq"))
    size = 2 * rotary.inv_freq.numel()
    theta = model.config.rope_parameters["rope_theta"]
    rotary.inv_freq = 1.0 / theta ** (torch.arange(0, size, 2, dtype=torch.float64) / size)
    saved = (torch.float32, torch.Tensor.float)
    torch.float32, torch.Tensor.float = torch.float64, torch.Tensor.double
    try:
        return model(input_ids=ids).logits
    finally:
        torch.float32, torch.Tensor.float = saved


def write_logits(options):
    folder = Path(options.folder)
    if (folder / "adapter_config.json").exists():
        base = PeftConfig.from_pretrained(folder).base_model_name_or_path
        model = PeftModel.from_pretrained(load(base), folder).eval()
    else:
        model = load(folder)
    ids = torch.tensor([[int(token) for token in options.ids.split(",")]])
    with torch.no_grad():
        logits = (wide_logits(model, ids) if options.wide else model(input_ids=ids).logits)[0].float()
    Path(options.out).write_bytes(logits.contiguous().numpy().astype("<f4").tobytes())


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    adapter = commands.add_parser("adapter")
    adapter.add_argument("base")
    adapter.add_argument("out")
    adapter.add_argument("--rank", type=int, default=8)
    adapter.add_argument("--alpha", type=float, default=16)
    adapter.add_argument("--targets", default=LINEAR)
    adapter.add_argument("--rslora", action="store_true")
    adapter.add_argument("--seed", type=int, default=1)
    adapter.add_argument("--scale", type=float, default=0.5)
    adapter.set_defaults(run=make_adapter)
    logits = commands.add_parser("logits")
    logits.add_argument("folder")
    logits.add_argument("out")
    logits.add_argument("ids")
    logits.add_argument("--wide", action="store_true")
    logits.set_defaults(run=write_logits)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()

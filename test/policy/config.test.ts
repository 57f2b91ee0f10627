import assert from "node:assert/strict";
import { test } from "node:test";
import { parseModelConfig, toHfConfig } from "../../src/policy/config.ts";
import { checkParameters, parameterShapes } from "../../src/policy/families.ts";
import { DataError } from "../../src/utils/errors.ts";

/** SmolLM2-135M-Instruct's config.json, the keys that matter. */
const smollm2 = {
  ...{ architectures: ["LlamaForCausalLM"], model_type: "llama", num_hidden_layers: 30, hidden_size: 576 },
  ...{ num_attention_heads: 9, num_key_value_heads: 3, intermediate_size: 1536, vocab_size: 49152 },
  ...{ rope_theta: 100000, rope_scaling: null, rms_norm_eps: 1e-5, tie_word_embeddings: true, hidden_act: "silu" },
  ...{ attention_bias: false, max_position_embeddings: 8192, bos_token_id: 1, eos_token_id: 2, pad_token_id: 2 },
};
const qwen2 = {
  ...{ architectures: ["Qwen2ForCausalLM"], num_hidden_layers: 24, hidden_size: 896, num_attention_heads: 14 },
  ...{ num_key_value_heads: 2, intermediate_size: 4864, vocab_size: 151936, rope_theta: 1000000, rms_norm_eps: 1e-6 },
  ...{ tie_word_embeddings: true, use_sliding_window: false, sliding_window: 32768, max_position_embeddings: 32768 },
  ...{ bos_token_id: 151643, eos_token_id: 151645 },
};

test("config: SmolLM2's config.json", () => {
  assert.deepEqual(parseModelConfig(smollm2, "x"), {
    ...{ family: "llama", layers: 30, width: 576, heads: 9, kvHeads: 3, headDim: 64, ffWidth: 1536, vocab: 49152 },
    ...{ ropeTheta: 100000, normEps: 1e-5, tied: true, attentionBias: false, qkNorm: false, maxPositions: 8192 },
    ...{ bosId: 1, eosIds: [2], padId: 2 },
  });
});

test("config: Qwen2 has biases, and generation_config.json's end tokens win", () => {
  const config = parseModelConfig(qwen2, "x", { eos_token_id: [151645, 151643] });
  assert.equal(config.family, "qwen2");
  assert.equal(config.attentionBias, true);
  assert.deepEqual(config.eosIds, [151645, 151643]);
  assert.equal(config.padId, 151645);
  assert.deepEqual(parseModelConfig(qwen2, "x", { temperature: 1 }).eosIds, [151645]);
});

test("config: Qwen3 normalises queries and keys, and its heads need not fill the width", () => {
  const qwen3 = {
    ...qwen2,
    architectures: ["Qwen3ForCausalLM"],
    hidden_size: 1024,
    num_attention_heads: 16,
    head_dim: 128,
  };
  const config = parseModelConfig({ ...qwen3, num_key_value_heads: 8 }, "x");
  assert.deepEqual([config.qkNorm, config.attentionBias, config.headDim], [true, false, 128]);
  const shapes = parameterShapes({ ...config, layers: 1 });
  assert.deepEqual(shapes.get("model.layers.0.self_attn.q_proj.weight"), [2048, 1024]);
  assert.deepEqual(shapes.get("model.layers.0.self_attn.o_proj.weight"), [1024, 2048]);
  assert.deepEqual(shapes.get("model.layers.0.self_attn.k_norm.weight"), [128]);
  assert.equal(shapes.has("lm_head.weight"), false);
});

test("config: a Llama with its own head size, and transformers' newer rope_parameters", () => {
  const config = parseModelConfig(
    { ...smollm2, head_dim: 128, rope_theta: undefined, rope_parameters: { rope_type: "default", rope_theta: 5000 } },
    "x",
  );
  assert.deepEqual([config.headDim, config.ropeTheta], [128, 5000]);
});

test("config: absent keys have transformers' defaults", () => {
  const { rope_theta: _, rms_norm_eps: __, tie_word_embeddings: ___, num_key_value_heads: ____, ...rest } = smollm2;
  const config = parseModelConfig({ ...rest, pad_token_id: -1, bos_token_id: null, eos_token_id: null }, "x");
  assert.deepEqual(
    [config.ropeTheta, config.normEps, config.tied, config.kvHeads, config.bosId, config.eosIds, config.padId],
    [10000, 1e-6, false, 9, null, [], 0],
  );
});

test("config: an unsupported architecture is named with the supported ones", () => {
  const message =
    "m/config.json: architecture GemmaForCausalLM is not supported; supported: LlamaForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM";
  assert.throws(
    () => parseModelConfig({ architectures: ["GemmaForCausalLM"] }, "m/config.json"),
    new DataError(message),
  );
  for (const json of [null, 3, [], {}, { architectures: [] }, { architectures: ["toString"] }])
    assert.throws(() => parseModelConfig(json, "x"), DataError);
});

test("config: what would change the mathematics is refused by name, all at once", () => {
  const refused: [object, RegExp][] = [
    [{ rope_scaling: { rope_type: "llama3", factor: 8 } }, /rope_scaling of type "llama3"/],
    [{ rope_scaling: { type: "linear", factor: 2 } }, /rope_scaling of type "linear"/],
    [{ rope_parameters: { rope_type: "yarn" } }, /rope_parameters of type "yarn"/],
    [{ rope_parameters: { rope_type: "default", partial_rotary_factor: 0.5 } }, /partial_rotary_factor 0.5/],
    [{ attention_bias: true, mlp_bias: true }, /attention_bias true; mlp_bias true/],
    [{ use_sliding_window: true }, /use_sliding_window true/],
    [{ layer_types: ["full_attention", "sliding_attention"] }, /layer_types "sliding_attention"/],
    [{ hidden_act: "gelu" }, /hidden_act "gelu" \(only "silu" is\)/],
    [{ quantization_config: { bits: 4 } }, /quantization_config/],
  ];
  for (const [change, message] of refused)
    assert.throws(() => parseModelConfig({ ...smollm2, ...change }, "x"), message);
  assert.doesNotThrow(() => parseModelConfig({ ...smollm2, rope_scaling: { rope_type: "default" } }, "x"));
});

test("config: fields of the wrong type or size are all reported", () => {
  const wrong = { ...smollm2, hidden_size: "576", num_hidden_layers: 0, vocab_size: 1.5 };
  for (const key of ["hidden_size", "num_hidden_layers", "vocab_size"])
    assert.throws(
      () => parseModelConfig(wrong, "m/config.json"),
      new RegExp(`^DataError: m/config.json[\\s\\S]*${key}`),
    );
  assert.throws(
    () => parseModelConfig({ ...smollm2, hidden_size: 575 }, "x"),
    /head size must be an even integer, got 63.88/,
  );
  assert.throws(
    () => parseModelConfig({ ...smollm2, num_key_value_heads: 4 }, "x"),
    /9 attention heads cannot share 4/,
  );
  assert.throws(
    () => parseModelConfig({ ...smollm2, eos_token_id: 49152 }, "x"),
    /eos token id 49152 is outside the vocabulary of 49152/,
  );
});

test("config: toHfConfig is the reverse of parseModelConfig", () => {
  for (const json of [
    smollm2,
    qwen2,
    { ...qwen2, architectures: ["Qwen3ForCausalLM"] },
    { ...smollm2, eos_token_id: [2, 0] },
    { ...smollm2, eos_token_id: null },
  ]) {
    const config = parseModelConfig(json, "x");
    assert.deepEqual(parseModelConfig(JSON.parse(JSON.stringify(toHfConfig(config))), "y"), config);
  }
});

test("families: shapes of SmolLM2 are its 272 tensors and 134,515,008 parameters", () => {
  const shapes = parameterShapes(parseModelConfig(smollm2, "x"));
  assert.equal(shapes.size, 272);
  const count = [...shapes.values()].reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
  assert.equal(count, 134_515_008);
});

test("families: missing, surplus and misshapen tensors are listed in one error", () => {
  const config = parseModelConfig({ ...qwen2, num_hidden_layers: 1 }, "x");
  const shapes = new Map(parameterShapes(config));
  assert.doesNotThrow(() => checkParameters(config, [...shapes.keys()], (name) => shapes.get(name)!, "m"));
  shapes.delete("model.norm.weight");
  shapes.set("extra", [1]);
  shapes.set("model.layers.0.self_attn.q_proj.bias", [3]);
  assert.throws(
    () => checkParameters(config, [...shapes.keys()], (name) => shapes.get(name)!, "m"),
    new DataError(
      "m: the tensors do not fit the configuration: missing (1): model.norm.weight; surplus (1): extra; wrong shape (1): model.layers.0.self_attn.q_proj.bias is [3], expected [896]",
    ),
  );
});

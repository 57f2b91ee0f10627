import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { AdamWOptions } from "../optim/index.ts";
import { DataError, messageOf } from "../utils/errors.ts";
import { writeFileAtomic } from "../utils/files.ts";
import { canonicalJson, sha256 } from "../utils/hash.ts";
import { type ModelConfig, toHfConfig } from "./config.ts";
import { openPolicy, type Policy } from "./host.ts";
import { type InitialTokenizer, openInitialTokenizer } from "./initial-tokenizer.ts";
import type { Adapter } from "./lora.ts";
import { findModel, openModel } from "./model-files.ts";
import type { WeightOrigin } from "./parameters.ts";
import type { Tokenizer, TokenizerFiles } from "./tokenizer.ts";

/** Sizes of a model that starts from random weights, and its vocabulary. */
export interface InitialModel {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number | null;
  readonly ffWidth: number;
  readonly ropeTheta: number;
  readonly maxPositions: number;
  readonly initScale: number;
  /** Absent: seedling's 28 symbols. */
  readonly tokenizer?: InitialTokenizer;
}

/** A model by name, folder, GGUF file or checkpoint folder; or random weights. */
export type ModelReference = string | { readonly init: InitialModel; readonly seed: number };

/** What {@link openLearner} needs. */
export interface LearnerOptions {
  readonly model: ModelReference;
  /** Ignored for a LoRA checkpoint, which brings its own. */
  readonly adapter: Adapter;
  /** Seed of a fresh adapter. */
  readonly seed: number;
  readonly optimizer?: AdamWOptions;
  readonly threads?: number;
}

/** A policy together with its tokenizer: what samples and what learns. */
export interface Learner {
  readonly policy: Policy;
  readonly tokenizer: Tokenizer;
  readonly config: ModelConfig;
  readonly adapter: Adapter;
  /** SHA-256 of the model's files, or of the description of its random weights. */
  readonly modelHash: string;
  /** Writes the trained weights as a folder that `openLearner` opens again: a model folder, or a PEFT adapter that names its base. */
  saveModel(folder: string): Promise<void>;
  close(): Promise<void>;
}

/** The keys of PEFT's adapter_config.json that are read and written. */
const AdapterConfigFile = z.looseObject({
  peft_type: z.literal("LORA"),
  base_model_name_or_path: z.string(),
  r: z.int().positive(),
  lora_alpha: z.number().positive(),
  target_modules: z.array(z.string()).min(1),
});
const ADAPTER_CONFIG = "adapter_config.json";

/**
 * Opens a model for sampling and training, in a thread of its own.
 * @throws DataError when the model cannot be found or read
 */
export async function openLearner(options: LearnerOptions): Promise<Learner> {
  const source = resolveModel(options.model);
  const adapter = source.adapter ?? options.adapter;
  const policy = await openPolicy({
    origin: source.origin,
    adapter,
    seed: options.seed,
    ...(options.optimizer === undefined ? {} : { optimizer: options.optimizer }),
    ...(options.threads === undefined ? {} : { threads: options.threads }),
  });
  if (source.adapterFolder !== undefined) await policy.loadWeights(source.adapterFolder);
  const { tokenizer, tokenizerFiles, base } = source;
  return {
    policy,
    tokenizer,
    config: source.config,
    adapter,
    modelHash: source.hash(),
    saveModel: async (folder) => {
      await policy.saveWeights(folder);
      if (adapter.kind === "lora") writeAdapterConfig(folder, adapter, base);
      else writeModelConfig(folder, source.config, tokenizerFiles);
    },
    close: () => policy.close(),
  };
}

interface Source {
  readonly origin: WeightOrigin;
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  readonly tokenizerFiles: TokenizerFiles | null;
  /** Path or name of the base model, for adapters. */
  readonly base: string;
  readonly adapter?: Adapter;
  readonly adapterFolder?: string;
  hash(): string;
}

function resolveModel(model: ModelReference): Source {
  if (typeof model !== "string") return initialSource(model.init, model.seed);
  const adapterFile = join(model, ADAPTER_CONFIG);
  if (existsSync(adapterFile)) return adapterSource(model, adapterFile);
  const path = findModel(model);
  const files = openModel(path);
  try {
    const { config, tokenizer } = files;
    const tokenizerFiles = files.tokenizerFiles();
    const hash = files.hash();
    return { origin: { kind: "files", path }, config, tokenizer, tokenizerFiles, base: model, hash: () => hash };
  } finally {
    files.close();
  }
}

function adapterSource(folder: string, file: string): Source {
  const parsed = AdapterConfigFile.safeParse(parseJson(file));
  if (!parsed.success) throw new DataError(`${file}: not a LoRA adapter\n${z.prettifyError(parsed.error)}`);
  const { r, lora_alpha, target_modules, base_model_name_or_path } = parsed.data;
  const base = resolveModel(base_model_name_or_path);
  const adapter: Adapter = { kind: "lora", rank: r, alpha: lora_alpha, targets: target_modules };
  return { ...base, adapter, adapterFolder: folder, base: base_model_name_or_path };
}

function parseJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new DataError(`${file}: cannot be read as JSON: ${messageOf(error)}`, { cause: error });
  }
}

function initialSource(init: InitialModel, seed: number): Source {
  const { tokenizer, files, hash } = openInitialTokenizer(init.tokenizer);
  const { bosId, eosIds, padId } = tokenizer;
  const config: ModelConfig = {
    family: "llama",
    layers: init.layers,
    width: init.width,
    heads: init.heads,
    kvHeads: init.kvHeads ?? init.heads,
    headDim: init.width / init.heads,
    ffWidth: init.ffWidth,
    vocab: tokenizer.vocabSize,
    ropeTheta: init.ropeTheta,
    normEps: 1e-5,
    tied: true,
    attentionBias: false,
    qkNorm: false,
    maxPositions: init.maxPositions,
    ...{ bosId, eosIds, padId },
  };
  return {
    origin: { kind: "initial", config, seed, scale: init.initScale },
    config,
    tokenizer,
    tokenizerFiles: files,
    base: "initial",
    hash: () => sha256(canonicalJson({ init, seed, ...(hash === null ? {} : { tokenizer: hash }) })),
  };
}

function writeAdapterConfig(folder: string, adapter: Extract<Adapter, { kind: "lora" }>, base: string): void {
  const json = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: base,
    r: adapter.rank,
    lora_alpha: adapter.alpha,
    target_modules: adapter.targets,
    lora_dropout: 0,
    bias: "none",
    inference_mode: true,
  };
  writeFileAtomic(join(folder, ADAPTER_CONFIG), `${JSON.stringify(json, null, 2)}\n`);
}

function writeModelConfig(folder: string, config: ModelConfig, tokenizer: TokenizerFiles | null): void {
  if (tokenizer) {
    writeFileAtomic(join(folder, "tokenizer.json"), tokenizer.tokenizerJson);
    writeFileAtomic(join(folder, "tokenizer_config.json"), tokenizer.tokenizerConfigJson);
  }
  const json = { ...toHfConfig(config), torch_dtype: "float32" };
  writeFileAtomic(join(folder, "config.json"), `${JSON.stringify(json, null, 2)}\n`);
}

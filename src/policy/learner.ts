import { join } from "node:path";
import type { AdamWOptions } from "../optim/index.ts";
import { ConfigError } from "../utils/errors.ts";
import { writeFileAtomic } from "../utils/files.ts";
import { canonicalJson, sha256 } from "../utils/hash.ts";
import { decideThreads } from "../utils/threads.ts";
import { ADAPTER_FILE, adapterFor, isAdapterFolder, writeAdapterConfig } from "./adapter-files.ts";
import { type ModelConfig, toHfConfig } from "./config.ts";
import type { UpdatePlan } from "./engine.ts";
import { parameterShapes } from "./families.ts";
import { baseOf, findModel, INITIAL } from "./find-model.ts";
import { openPolicy, type Policy } from "./host.ts";
import { type InitialTokenizer, openInitialTokenizer } from "./initial-tokenizer.ts";
import type { Adapter } from "./lora.ts";
import { hashFiles, openModel } from "./model-files.ts";
import { initialReader, type WeightOrigin } from "./parameters.ts";
import type { Tokenizer, TokenizerFiles } from "./tokenizer.ts";
import type { WeightSource } from "./weights.ts";

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
  readonly plan?: UpdatePlan;
  /** As a user asks for them; `decideThreads` when absent. */
  readonly threads?: number;
}

/** A policy together with its tokenizer: what samples and what learns. */
export interface Learner {
  readonly policy: Policy;
  readonly tokenizer: Tokenizer;
  readonly config: ModelConfig;
  readonly adapter: Adapter;
  /** SHA-256 of the model's files (of the base model's, under an adapter), or of the description of its random weights. */
  readonly modelHash: string;
  /** SHA-256 of the adapter that the model came with: rank, scale, targets and weights; null without one, or with a fresh one. */
  readonly adapterHash: string | null;
  /** Writes the trained weights as a folder that `openLearner` opens again: a model folder, or a PEFT adapter that names its base. */
  saveModel(folder: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a model for sampling and training, in a thread of its own.
 * @throws DataError when the model cannot be found or read
 */
export async function openLearner(options: LearnerOptions): Promise<Learner> {
  const source = resolveModel(options.model);
  checkSameAdapter(options, source.adapter);
  const adapter = source.adapter ?? options.adapter;
  const policy = await openPolicy({
    origin: source.origin,
    adapter,
    seed: options.seed,
    ...(source.adapterFolder === undefined ? {} : { startAdapter: source.adapterFolder }),
    ...(options.optimizer === undefined ? {} : { optimizer: options.optimizer }),
    ...(options.plan === undefined ? {} : { plan: options.plan }),
    threads: decideThreads(options.threads).policy,
  });
  if (source.adapterFolder !== undefined) await policy.loadWeights(source.adapterFolder);
  const { tokenizer, tokenizerFiles, base } = source;
  return {
    policy,
    tokenizer,
    config: source.config,
    adapter,
    modelHash: source.hash(),
    adapterHash: source.adapterHash ?? null,
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
  readonly adapterHash?: string;
  hash(): string;
}

function resolveModel(model: ModelReference): Source {
  if (typeof model !== "string") return initialSource(model.init, model.seed);
  const path = findModel(model);
  if (isAdapterFolder(path)) return adapterSource(path);
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

function adapterSource(folder: string): Source {
  const base = baseOf(folder);
  const source = resolveModel(base);
  const adapter = adapterFor(folder, source.config, base);
  const adapterHash = sha256(canonicalJson(adapter), hashFiles([join(folder, ADAPTER_FILE)]));
  return { ...source, adapter, adapterFolder: folder, adapterHash, base };
}

/** An adapter that is trained further keeps its form: a recipe that asks for another one would be misunderstood. */
function checkSameAdapter({ model, adapter }: LearnerOptions, own: Adapter | undefined): void {
  if (own === undefined || own.kind === "none" || adapter.kind === "none") return;
  const text = ({ rank, alpha, targets }: typeof own): string =>
    `rank ${rank}, alpha ${alpha}, ${[...targets].sort().join(" ")}`;
  if (text(adapter) !== text(own))
    throw new ConfigError(
      `${model}: is an adapter (${text(own)}) and is trained further as it is, but the recipe asks for another one (${text(adapter)}): leave adapter out, or merge it first with: npx rlvr models convert`,
    );
}

/** A model of random weights as a source of tensors: the numbers that {@link openLearner} starts from. */
export function openInitialModel(
  init: InitialModel,
  seed: number,
): { readonly config: ModelConfig; readonly tokenizerFiles: TokenizerFiles | null; readonly source: WeightSource } {
  const { config, tokenizerFiles } = initialSource(init, seed);
  const shapes = parameterShapes(config);
  const source: WeightSource = {
    files: [],
    names: () => [...shapes.keys()],
    shape: (name) => shapes.get(name)!,
    read: initialReader(config, { seed, scale: init.initScale }),
    close: () => {},
  };
  return { config, tokenizerFiles, source };
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
    base: INITIAL,
    hash: () => sha256(canonicalJson({ init, seed, ...(hash === null ? {} : { tokenizer: hash }) })),
  };
}

function writeModelConfig(folder: string, config: ModelConfig, tokenizer: TokenizerFiles | null): void {
  if (tokenizer) {
    writeFileAtomic(join(folder, "tokenizer.json"), tokenizer.tokenizerJson);
    writeFileAtomic(join(folder, "tokenizer_config.json"), tokenizer.tokenizerConfigJson);
  }
  const json = { ...toHfConfig(config), torch_dtype: "float32" };
  writeFileAtomic(join(folder, "config.json"), `${JSON.stringify(json, null, 2)}\n`);
}

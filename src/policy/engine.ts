import { join } from "node:path";
import type { FloatType } from "../graph/index.ts";
import {
  type AdamWOptions,
  adamw,
  clipByGlobalNorm,
  type Floats,
  firstNonFinite,
  flattenMoments,
  globalNorm,
  type Optimizer,
  type OptimizerState,
  zerosLike,
} from "../optim/index.ts";
import { DataError } from "../utils/errors.ts";
import { sha256 } from "../utils/hash.ts";
import { Blocks, type HeadSession } from "./blocks.ts";
import type { ModelConfig } from "./config.ts";
import { Decoder, type DecodeStart, type Drawn } from "./decoder.ts";
import type { LossSource, TokenLoss } from "./head.ts";
import type { Adapter } from "./lora.ts";
import { openModel } from "./model-files.ts";
import { initialReader, loadParameters, type Parameters } from "./parameters.ts";
import { Positions } from "./positions.ts";
import { openSafetensors } from "./safetensors.ts";
import { writeSafetensors } from "./safetensors-write.ts";
import { type SequenceBatch, SequenceRunner, type TokenResults } from "./sequences.ts";

/** Where the weights come from: a model's files, or random numbers. */
export type WeightOrigin =
  | { readonly kind: "files"; readonly path: string }
  | { readonly kind: "initial"; readonly config: ModelConfig; readonly seed: number; readonly scale: number };

/** What an engine is made from; can be sent to a thread. */
export interface EngineOptions {
  readonly origin: WeightOrigin;
  readonly adapter: Adapter;
  /** Seed of the adapter's initial weights. */
  readonly seed: number;
  readonly optimizer?: AdamWOptions;
  /** float64 is for gradient checks; decoding needs float32. */
  readonly floatType?: FloatType;
  readonly threads?: number;
}

/** Outcome of one optimizer update. */
export interface UpdateResult {
  /** Global L2 norm before clipping. */
  readonly gradNorm: number;
  /** Name of the first parameter whose gradient is not finite; the update was not applied then. */
  readonly nonFinite: string | null;
}

/** All weights of a fully trained policy, as Hugging Face names the file: a checkpoint is a model folder too. */
export const MODEL_FILE = "model.safetensors";
/** The trained additions of a LoRA policy, as PEFT names the file and the tensors in it. */
export const ADAPTER_FILE = "adapter_model.safetensors";
const OPTIMIZER_FILE = "optimizer.safetensors";

/**
 * A policy with its sessions, gradients and optimizer. It blocks the thread it runs on, so programs use it through `openPolicy`; its
 * methods are what crosses the thread border: numbers and typed arrays.
 */
export class Engine {
  readonly parameters: Parameters;
  private readonly blocks: Blocks;
  private readonly runner: SequenceRunner;
  private readonly positions: Positions;
  private readonly optimizer: Optimizer;
  private optimizerState: OptimizerState | undefined;
  private readonly gradients: Map<string, Floats>;
  private loss: { update: HeadSession; score: HeadSession } | undefined;
  private plainHead: Promise<HeadSession> | undefined;
  private decoder: Decoder | undefined;

  private constructor(parameters: Parameters, options: EngineOptions) {
    const { config, adapter, floatType } = parameters;
    const prefix = /^model\.layers\.0\./;
    const trainable = [...parameters.trainable.keys()]
      .filter((name) => prefix.test(name))
      .map((name) => name.replace(prefix, ""));
    const { threads } = options;
    this.parameters = parameters;
    this.blocks = new Blocks({ config, adapter, floatType, trainable, ...(threads === undefined ? {} : { threads }) });
    this.positions = new Positions(config, floatType);
    this.runner = new SequenceRunner(this.blocks, parameters, this.positions);
    this.optimizer = adamw(options.optimizer);
    this.gradients = zerosLike(parameters.trainable);
  }

  static async create(options: EngineOptions): Promise<Engine> {
    const { origin, adapter, seed, floatType = "float32" } = options;
    if (origin.kind === "initial") {
      const read = initialReader(origin.config, origin);
      return new Engine(loadParameters(origin.config, adapter, read, { floatType, seed }), options);
    }
    const files = openModel(origin.path, { tokenizer: "optional" });
    try {
      return new Engine(
        loadParameters(files.config, adapter, (name) => files.read(name), { floatType, seed }),
        options,
      );
    } finally {
      files.close();
    }
  }

  /** Builds the head for a loss that a module exports. */
  async useLoss(source: LossSource): Promise<void> {
    const module = (await import(source.module)) as Record<string, (options: unknown) => TokenLoss>;
    const make = module[source.exportName];
    if (!make) throw new DataError(`${source.module} does not export ${source.exportName}`);
    await this.setLoss(make(source.options));
  }

  async setLoss(loss: TokenLoss): Promise<void> {
    await this.loss?.update.session.dispose();
    await this.loss?.score.session.dispose();
    this.loss = { update: await this.blocks.head(loss, true), score: await this.blocks.head(loss, false) };
  }

  /** Forward, loss and backward of one micro-batch; the gradient is added to what was accumulated since the last update. */
  accumulate(batch: SequenceBatch): Promise<TokenResults> {
    return this.runner.accumulate(this.requireLoss().update, batch, this.gradients);
  }

  /** Forward and loss without gradient. */
  scoreLoss(batch: SequenceBatch): Promise<TokenResults> {
    return this.runner.score(this.requireLoss().score, batch);
  }

  /** Log-probs and entropies of targets alone. */
  async score(batch: SequenceBatch): Promise<TokenResults> {
    this.plainHead ??= this.blocks.head({ features: [], scalars: [], build: () => ({ terms: {} }) }, false);
    return this.runner.score(await this.plainHead, batch);
  }

  /** Clips the accumulated gradient, updates the weights in place and clears the gradient. A non-finite gradient changes nothing. */
  update(lr: number, clipNorm: number): UpdateResult {
    const nonFinite = firstNonFinite(this.gradients) ?? null;
    const gradNorm = clipByGlobalNorm(this.gradients, clipNorm);
    if (nonFinite === null) {
      this.optimizerState ??= this.optimizer.init(this.parameters.trainable);
      this.optimizerState = this.optimizer.update(this.parameters.trainable, this.gradients, this.optimizerState, lr);
    }
    this.clearGradients();
    return { gradNorm, nonFinite };
  }

  /** L2 norm of each parameter's accumulated gradient. */
  gradientNorms(): Record<string, number> {
    return Object.fromEntries([...this.gradients].map(([name, array]) => [name, globalNorm(new Map([[name, array]]))]));
  }

  /** A copy of one parameter's accumulated gradient. */
  gradient(name: string): Floats {
    const found = this.gradients.get(name);
    if (!found) throw new DataError(`gradient(): ${name} does not train`);
    return found.slice();
  }

  /** Name of the first weight or accumulated gradient that holds NaN or an infinity, with what it is; null when all are finite. */
  firstBadTensor(): string | null {
    const weights = new Map([...this.parameters.tensors].map(([name, { data }]) => [name, data as Floats]));
    const weight = firstNonFinite(weights);
    if (weight !== undefined) return `weight ${weight}`;
    const gradient = firstNonFinite(this.gradients);
    return gradient === undefined ? null : `gradient of ${gradient}`;
  }

  clearGradients(): void {
    for (const array of this.gradients.values()) array.fill(0);
  }

  async decodeStart(start: DecodeStart): Promise<Drawn> {
    const { decoder, first } = await Decoder.start(this.parameters, this.blocks, this.positions, start);
    this.decoder = decoder;
    return first;
  }

  /** Next token of every row; `keep` drops all other rows first. */
  decodeStep(uniforms: Float32Array, keep?: readonly number[]): Promise<Drawn> {
    if (!this.decoder) throw new Error("internal: decodeStep() before decodeStart()");
    if (keep) this.decoder.keep(keep);
    return this.decoder.step(uniforms);
  }

  /** Frees the cache. */
  decodeEnd(): void {
    this.decoder = undefined;
  }

  /** SHA-256 of the trained weights, in their order. */
  weightsHash(): string {
    return sha256(...this.parameters.trainable.values());
  }

  /** SHA-256 of the trained weights, the optimizer's moments and its count: equal for runs that go on equally. */
  stateHash(): string {
    const state = this.optimizerState;
    const moments = state ? [...flattenMoments(state).values()] : [];
    return sha256(`updates:${state?.count ?? 0};`, ...this.parameters.trainable.values(), ...moments);
  }

  /** Writes the optimizer's moments into a folder; `saveWeights` writes the weights beside them. */
  saveState(folder: string): void {
    this.optimizerState ??= this.optimizer.init(this.parameters.trainable);
    const count = { updates: String(this.optimizerState.count) };
    writeSafetensors(join(folder, OPTIMIZER_FILE), this.tensorsToWrite(flattenMoments(this.optimizerState)), count);
  }

  /** Restores moments and weights. @throws DataError when a tensor is missing or has another size */
  loadState(folder: string): void {
    const optimizer = openSafetensors(join(folder, OPTIMIZER_FILE));
    try {
      const state = this.optimizer.init(this.parameters.trainable);
      this.fill(optimizer, flattenMoments(state));
      this.optimizerState = { ...state, count: Number(optimizer.metadata.updates) };
    } finally {
      optimizer.close();
    }
    this.loadWeights(folder);
  }

  /** Writes the trained weights: `model.safetensors`, or `adapter_model.safetensors` with PEFT's names. */
  saveWeights(folder: string): void {
    const tensors = this.tensorsToWrite(this.parameters.trainable);
    const renamed = tensors.map((tensor) => ({ ...tensor, name: this.fileName(tensor.name) }));
    writeSafetensors(join(folder, this.weightsFile()), renamed, { format: "pt" });
  }

  /** Reads what `saveWeights` wrote into the trained weights. */
  loadWeights(folder: string): void {
    const weights = openSafetensors(join(folder, this.weightsFile()));
    try {
      this.fill(weights, this.parameters.trainable, (name) => this.fileName(name));
    } finally {
      weights.close();
    }
  }

  /** A copy of every weight by name: all of the base model's, the adapter's beside them. */
  exportTensors(): { name: string; shape: readonly number[]; data: Floats }[] {
    return [...this.parameters.tensors].map(([name, { shape, data }]) => ({
      name,
      shape,
      data: (data as Floats).slice(),
    }));
  }

  async dispose(): Promise<void> {
    this.decoder = undefined;
    await this.loss?.update.session.dispose();
    await this.loss?.score.session.dispose();
    await (await this.plainHead)?.session.dispose();
    await this.blocks.dispose();
  }

  private requireLoss(): { update: HeadSession; score: HeadSession } {
    if (!this.loss) throw new Error("internal: no loss was set");
    return this.loss;
  }

  private tensorsToWrite(tree: ReadonlyMap<string, Floats>) {
    const dtype = this.parameters.floatType === "float32" ? ("F32" as const) : ("F64" as const);
    return [...tree].map(([name, data]) => ({ name, dtype, shape: this.shapeOf(name, data), data }));
  }

  private shapeOf(name: string, data: Floats): readonly number[] {
    return this.parameters.tensors.get(name.replace(/^[mv]\//, ""))?.shape ?? [data.length];
  }

  private weightsFile(): string {
    return this.parameters.adapter.kind === "none" ? MODEL_FILE : ADAPTER_FILE;
  }

  private fileName(name: string): string {
    return this.parameters.adapter.kind === "none" ? name : `base_model.model.${name}`;
  }

  private fill(
    file: ReturnType<typeof openSafetensors>,
    tree: ReadonlyMap<string, Floats>,
    rename: (name: string) => string = (name) => name,
  ): void {
    for (const [parameter, array] of tree) {
      const name = rename(parameter);
      const values = this.parameters.floatType === "float32" ? file.read(name) : file.readFloat64(name);
      if (values.length !== array.length) {
        throw new DataError(`${file.path}: ${name} has ${values.length} values, this policy needs ${array.length}`);
      }
      array.set(values);
    }
  }
}

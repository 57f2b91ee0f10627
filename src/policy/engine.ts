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
} from "../optim/index.ts";
import { DataError } from "../utils/errors.ts";
import { sha256 } from "../utils/hash.ts";
import { Blocks, type HeadSession } from "./blocks.ts";
import { type DecodeExtend, Decoder, type DecodeStart } from "./decoder.ts";
import type { Drawn } from "./drawing.ts";
import { Gradients } from "./gradients.ts";
import { LIMITS } from "./limits.ts";
import type { Adapter } from "./lora.ts";
import { formName, type PackedForm } from "./packing.ts";
import { outerTensors, type Parameters, parametersOf, type WeightOrigin, withoutAdapter } from "./parameters.ts";
import { Positions } from "./positions.ts";
import { type MeasuredTokens, type SequenceBatch, SequenceRunner, type TokenResults } from "./sequences.ts";
import { type LossSource, loadLoss, type TokenLoss } from "./token-loss.ts";
import { loadMoments, loadWeights, saveMoments, saveWeights, withWeightsOf } from "./weight-files.ts";

/** What an engine is made from; can be sent to a thread. */
export interface EngineOptions {
  readonly origin: WeightOrigin;
  readonly adapter: Adapter;
  /** Seed of the adapter's initial weights. */
  readonly seed: number;
  /** Folder of the adapter that training starts from, for the reference; `loadWeights` reads it into the policy. Absent: the adapter is fresh. */
  readonly startAdapter?: string;
  readonly optimizer?: AdamWOptions;
  /** float64 is for gradient checks; decoding needs float32. */
  readonly floatType?: FloatType;
  readonly threads?: number;
  /**
   * lean: an update goes layer by layer and computes each layer's forward pass again, so that only the layers' inputs are held; fast: the whole model in one run, which
   * holds what the backward pass needs. Default lean.
   */
  readonly plan?: UpdatePlan;
  /** Scores of attention that are held at once in a pass over sequences; where there are more, queries go in chunks. Default `LIMITS.scores`. */
  readonly scores?: number;
}

export type UpdatePlan = "lean" | "fast";

/** Outcome of one optimizer update. */
export interface UpdateResult {
  /** Global L2 norm before clipping. */
  readonly gradNorm: number;
  /** Name of the first parameter whose gradient is not finite; the update was not applied then. */
  readonly nonFinite: string | null;
}

/** What a pass without gradient computes. */
export interface MeasureOptions {
  readonly program?: string;
  readonly policy?: "current" | "reference";
  readonly keepAs?: number;
  readonly hidden?: boolean;
}

const PLAIN = "plain";
const LOSS = "loss";
const PLAIN_LOSS: TokenLoss = { features: [], scalars: [], build: () => ({ terms: {} }) };

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
  private readonly gradients: Gradients;
  private loss: TokenLoss | undefined;
  private updateHead: HeadSession | undefined;
  private readonly plan: UpdatePlan;
  /** The whole model with the loss, by form; made at first use. */
  private readonly whole = new Map<string, HeadSession>();
  private readonly programs = new Map<string, HeadSession>();
  private readonly origin: WeightOrigin;
  private readonly startAdapter: string | undefined;
  private referenceRunner: SequenceRunner | undefined;
  private decoder: Decoder | undefined;

  private constructor(parameters: Parameters, options: EngineOptions) {
    const { config, adapter, floatType } = parameters;
    const prefix = /^model\.layers\.0\./;
    const trainable = [...parameters.trainable.keys()]
      .filter((name) => prefix.test(name))
      .map((name) => name.replace(prefix, ""));
    const { threads, plan = "lean", scores = LIMITS.scores } = options;
    this.plan = plan;
    this.origin = options.origin;
    this.startAdapter = options.startAdapter;
    this.parameters = parameters;
    this.blocks = new Blocks({
      config,
      adapter,
      floatType,
      trainable,
      scores,
      ...(threads === undefined ? {} : { threads }),
    });
    this.positions = new Positions(config, floatType);
    this.runner = new SequenceRunner(this.blocks, parameters, this.positions);
    this.optimizer = adamw(options.optimizer);
    this.gradients = new Gradients(parameters.trainable);
  }

  /** @throws DataError when the model cannot be read, or a weight in it is not finite */
  static async create(options: EngineOptions): Promise<Engine> {
    const { origin, adapter, seed, floatType = "float32" } = options;
    const engine = new Engine(parametersOf(origin, adapter, { floatType, seed }), options);
    const bad = engine.firstBadTensor();
    if (bad !== null && origin.kind === "files")
      throw new DataError(
        `${origin.path}: ${bad} holds NaN or infinity: the file is corrupt, or was saved after training diverged`,
      );
    return engine;
  }

  /** Builds the head for a loss that a module exports. */
  async useLoss(source: LossSource): Promise<void> {
    await this.setLoss(await loadLoss(source));
  }

  async setLoss(loss: TokenLoss): Promise<void> {
    await this.disposeLoss();
    this.loss = loss;
    if (this.plan === "lean") this.updateHead = await this.blocks.head(loss, true);
  }

  /** Builds a head without gradient that `measure` runs by its name. */
  async useProgram(name: string, source: LossSource): Promise<void> {
    await this.programs.get(name)?.session.dispose();
    this.programs.set(name, await this.blocks.head(await loadLoss(source), false));
  }

  /** Forward, loss and backward of one micro-batch; the gradient is added to what was accumulated since the last update. */
  async accumulate(batch: SequenceBatch): Promise<TokenResults> {
    if (!this.loss) throw new Error("internal: no loss was set");
    if (this.plan === "lean") return this.runner.accumulate(this.updateHead!, batch, this.gradients);
    return this.runner.accumulateWhole((form) => this.wholeFor(form), batch, this.gradients);
  }

  /** Forward and loss without gradient. */
  async scoreLoss(batch: SequenceBatch): Promise<TokenResults> {
    if (!this.loss) throw new Error("internal: no loss was set");
    return this.runner.score(await this.program(LOSS, this.loss), batch);
  }

  /** Log-probs and entropies of targets alone. */
  score(batch: SequenceBatch): Promise<TokenResults> {
    return this.measure(batch);
  }

  /**
   * Log-probs, entropies and the outputs of a program, without gradient.
   * @param options.program name given to `useProgram`; log-probs and entropies alone when absent
   * @param options.policy the reference is the model before training: a fresh adapter switched off, a given one as it was, or the weights of the model's files
   * @param options.keepAs number for `batch.forward` of an `accumulate` before the next update; plan fast keeps nothing
   * @param options.hidden returns the hidden states that `batch.distributions` takes
   */
  async measure(batch: SequenceBatch, options: MeasureOptions = {}): Promise<MeasuredTokens> {
    const { program, policy = "current", keepAs, hidden } = options;
    const rest = { ...(hidden ? { hidden } : {}), ...(keepAs !== undefined && this.plan === "lean" ? { keepAs } : {}) };
    const head = program === undefined ? await this.program(PLAIN, PLAIN_LOSS) : this.programs.get(program);
    if (!head) throw new Error(`internal: program ${program} was not set`);
    return policy === "current" ? this.runner.score(head, batch, rest) : this.reference().score(head, batch, rest);
  }

  /** Keeps the head matrix as that of the policy that sampled; nothing to do where it does not train. */
  rememberHead(): void {
    if (this.parameters.adapter.kind !== "none") return;
    const { head } = outerTensors(this.parameters);
    this.runner.otherHeads.old = { ...head, data: (head.data as Floats).slice() } as typeof head;
  }

  /** Drops what measuring passes kept for the update. */
  forgetForwards(): void {
    this.runner.forgetForwards();
  }

  /** Clips the accumulated gradient, updates the weights in place and clears the gradient. A non-finite gradient changes nothing. */
  update(lr: number, clipNorm: number): UpdateResult {
    const gradients = this.gradients.tree();
    const nonFinite = firstNonFinite(gradients) ?? null;
    const gradNorm = clipByGlobalNorm(gradients, clipNorm);
    if (nonFinite === null) {
      this.optimizerState ??= this.optimizer.init(this.parameters.trainable);
      this.optimizerState = this.optimizer.update(this.parameters.trainable, gradients, this.optimizerState, lr);
    }
    this.clearGradients();
    this.forgetForwards(); // of the weights before
    return { gradNorm, nonFinite };
  }

  /** L2 norm of each parameter's accumulated gradient. */
  gradientNorms(): Record<string, number> {
    const gradients = [...this.gradients.tree()];
    return Object.fromEntries(gradients.map(([name, array]) => [name, globalNorm(new Map([[name, array]]))]));
  }

  /** A copy of one parameter's accumulated gradient. */
  gradient(name: string): Floats {
    if (!this.parameters.trainable.has(name)) throw new DataError(`gradient(): ${name} does not train`);
    return this.gradients.of(name).slice();
  }

  /** Name of the first weight or accumulated gradient that holds NaN or an infinity, with what it is; null when all are finite. */
  firstBadTensor(): string | null {
    const weights = new Map([...this.parameters.tensors].map(([name, { data }]) => [name, data as Floats]));
    const weight = firstNonFinite(weights);
    if (weight !== undefined) return `weight ${weight}`;
    const gradient = firstNonFinite(this.gradients.tree());
    return gradient === undefined ? null : `gradient of ${gradient}`;
  }

  clearGradients(): void {
    this.gradients.clear();
  }

  async decodeStart(start: DecodeStart): Promise<Drawn> {
    const { decoder, first } = await Decoder.start(this.parameters, this.blocks, this.positions, start);
    this.decoder = decoder;
    return first;
  }

  /** Next token of every row; rows that are not `active` rest. */
  decodeStep(uniforms: Float32Array, active?: Uint8Array): Promise<Drawn> {
    return this.decoding("decodeStep").step(uniforms, active);
  }

  /** Some rows read more tokens and draw the next one. */
  decodeExtend(extend: DecodeExtend): Promise<Drawn> {
    return this.decoding("decodeExtend").extend(extend);
  }

  /** Drops all rows but these (ascending). */
  decodeKeep(rows: readonly number[]): void {
    this.decoding("decodeKeep").keep(rows);
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
    saveMoments(this.parameters, this.optimizerState, folder);
  }

  /** Restores moments and weights. @throws DataError when a tensor is missing or has another size */
  loadState(folder: string): void {
    this.optimizerState = loadMoments(this.parameters, this.optimizer, folder);
    loadWeights(this.parameters, folder);
  }

  /** Writes the trained weights: `model.safetensors`, or `adapter_model.safetensors` with PEFT's names. */
  saveWeights(folder: string): void {
    saveWeights(this.parameters, folder);
  }

  /** Reads what `saveWeights` wrote into the trained weights. */
  loadWeights(folder: string): void {
    loadWeights(this.parameters, folder);
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
    await this.disposeLoss();
    for (const { session } of this.programs.values()) await session.dispose();
    await this.blocks.dispose();
  }

  private async disposeLoss(): Promise<void> {
    const heads = [this.updateHead, ...this.whole.values(), this.programs.get(LOSS)];
    for (const head of heads) await head?.session.dispose();
    this.updateHead = undefined;
    this.whole.clear();
    this.programs.delete(LOSS);
  }

  private async wholeFor(form: PackedForm): Promise<HeadSession> {
    const name = formName(form);
    const made = this.whole.get(name) ?? (await this.blocks.whole(this.loss!, form));
    this.whole.set(name, made);
    return made;
  }

  private decoding(method: string): Decoder {
    if (!this.decoder) throw new Error(`internal: ${method}() before decodeStart()`);
    return this.decoder;
  }

  private async program(name: string, loss: TokenLoss): Promise<HeadSession> {
    let head = this.programs.get(name);
    if (!head) {
      head = await this.blocks.head(loss, false);
      this.programs.set(name, head);
    }
    return head;
  }

  /** The model before training, loaded at first use; its head serves losses that look at the reference. */
  private reference(): SequenceRunner {
    if (this.referenceRunner) return this.referenceRunner;
    const parameters = this.parametersBeforeTraining();
    this.runner.otherHeads.reference = outerTensors(parameters).head;
    this.referenceRunner = new SequenceRunner(this.blocks, parameters, this.positions);
    return this.referenceRunner;
  }

  private parametersBeforeTraining(): Parameters {
    const { adapter, floatType } = this.parameters;
    if (adapter.kind === "none") return parametersOf(this.origin, adapter, { floatType, seed: 0 });
    return this.startAdapter === undefined
      ? withoutAdapter(this.parameters)
      : withWeightsOf(this.parameters, this.startAdapter);
  }
}

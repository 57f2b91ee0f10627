import { type FloatType, floats, type Tensor } from "../graph/index.ts";
import type { Floats } from "../optim/index.ts";
import type { Blocks, HeadSession } from "./blocks.ts";
import { EMBEDDING, FINAL_NORM, HEAD } from "./families.ts";
import type { Gradients } from "./gradients.ts";
import { LIMITS } from "./limits.ts";
import { type PackedForm, type PackedLengths, type Packing, pack } from "./packing.ts";
import { layerFeeds, outerTensors, type Parameters, trainableSuffixes } from "./parameters.ts";
import type { Positions } from "./positions.ts";
import { scoredFeeds } from "./scored-states.ts";
import type { OtherPolicy } from "./token-loss.ts";

/** Sequences to compute, and the tokens of them that a loss looks at. */
export interface SequenceBatch extends PackedLengths {
  /** Token ids: the prefixes one after another, then the tails. */
  readonly ids: Int32Array;
  /** [n] index of the token in `ids` whose hidden state predicts the target; several targets may stand behind one token */
  readonly positions: Int32Array;
  /** [n] token ids that are scored */
  readonly targets: Int32Array;
  /** [n] floats each */
  readonly features: Readonly<Record<string, Floats>>;
  readonly scalars: Readonly<Record<string, number>>;
  /** Logits are divided by this. */
  readonly temperature: number;
  /** Number under which a measuring pass kept the layer inputs of this batch; they are used once. */
  readonly forward?: number;
  /** [n*D] normalised hidden states of the other policies that the loss looks at */
  readonly distributions?: Readonly<Partial<Record<OtherPolicy, Floats>>>;
}

/** What the head tells about the tokens of a batch. */
export interface TokenResults {
  /** [n] log-probability of each target, nats */
  readonly logp: Floats;
  /** [n] entropy of the full distribution, nats */
  readonly entropy: Floats;
  /** [n] each, by the names of the loss */
  readonly perToken: Readonly<Record<string, Floats>>;
  /** Terms of the loss, summed over the batch. */
  readonly terms: Readonly<Record<string, number>>;
}

/** Results of a pass without gradient. */
export interface MeasuredTokens extends TokenResults {
  /** [n*D] hidden states after the final norm, where they were asked for */
  readonly hidden?: Floats;
}

const MAX_CHUNK = 4096;

/**
 * Forward and backward passes over whole sequences, block by block: the host keeps the inputs of the layers and drives one session for all
 * of them; the backward session of a layer computes its forward pass again.
 */
export class SequenceRunner {
  private readonly blocks: Blocks;
  private readonly parameters: Parameters;
  private readonly positions: Positions;
  private readonly floatType: FloatType;
  private readonly kept = new Map<number, Tensor[]>();
  private keptBytes = 0;
  /** Head matrices of other policies, by name. */
  readonly otherHeads: Partial<Record<OtherPolicy, Tensor>> = {};

  constructor(blocks: Blocks, parameters: Parameters, positions: Positions) {
    this.blocks = blocks;
    this.parameters = parameters;
    this.positions = positions;
    this.floatType = parameters.floatType;
  }

  /**
   * Log-probs, entropies and loss terms without gradient.
   * @param options.keepAs number under which the layer inputs are kept for `accumulate`, as far as memory for them is left
   * @param options.hidden returns the normalised hidden states too
   */
  async score(
    head: HeadSession,
    batch: SequenceBatch,
    options: { readonly keepAs?: number; readonly hidden?: boolean } = {},
  ): Promise<MeasuredTokens> {
    const kept = batch.forward === undefined ? undefined : this.kept.get(batch.forward);
    const packing = this.pack(batch);
    const inputs = kept ?? (await this.layerInputs(batch, packing));
    const states = this.statesAt(batch, packing, inputs.at(-1)!);
    const { results } = await this.runHead(head, batch, states);
    if (!kept && options.keepAs !== undefined) this.keep(options.keepAs, inputs);
    return options.hidden ? { ...results, hidden: await this.normalised(states) } : results;
  }

  /** Drops what measuring passes kept. */
  forgetForwards(): void {
    this.kept.clear();
    this.keptBytes = 0;
  }

  private keep(id: number, inputs: Tensor[]): void {
    const bytes = inputs.reduce((sum, { data }) => sum + (data as Floats).byteLength, 0);
    if (this.keptBytes + bytes > LIMITS.keptInputs) return;
    this.kept.set(id, inputs);
    this.keptBytes += bytes;
  }

  private takeKept(id: number | undefined): Tensor[] | undefined {
    const inputs = id === undefined ? undefined : this.kept.get(id);
    if (!inputs) return undefined;
    this.kept.delete(id!);
    this.keptBytes -= inputs.reduce((sum, { data }) => sum + (data as Floats).byteLength, 0);
    return inputs;
  }

  private pack(batch: SequenceBatch): Packing {
    return pack(batch, this.parameters.config, this.positions, this.blocks.options.scores);
  }

  /** [n*D] hidden states of the tokens that predict targets */
  private statesAt({ positions }: SequenceBatch, { rowOf }: Packing, hidden: Tensor): Floats {
    const { width } = this.parameters.config;
    const states = floats(this.floatType, positions.length * width);
    positions.forEach((position, i) => {
      const from = rowOf[position]! * width;
      states.set((hidden.data as Floats).subarray(from, from + width), i * width);
    });
    return states;
  }

  private async normalised(states: Floats): Promise<Floats> {
    const { width } = this.parameters.config;
    const session = await this.blocks.finalNorm();
    const { norm } = outerTensors(this.parameters);
    const result = await session.run({ hidden: this.tensor([states.length / width, width], states), norm });
    return (result.normalised!.data as Floats).slice();
  }

  /** The same in one run of the whole model, and adds the gradient of the summed terms to `gradients`. */
  async accumulateWhole(
    wholeFor: (form: PackedForm) => Promise<HeadSession>,
    batch: SequenceBatch,
    gradients: Gradients,
  ): Promise<TokenResults> {
    const { config } = this.parameters;
    const packing = this.pack(batch);
    const whole = await wholeFor(packing.form);
    const feeds: Record<string, Tensor> = {
      x: this.embedded(batch, packing),
      ...packing.feeds,
      ...this.headFeeds(whole, batch),
      ...scoredFeeds(
        batch.positions.map((position) => packing.rowOf[position]!),
        this.chunksOf(batch),
        packing.rows,
      ),
    };
    for (let layer = 0; layer < config.layers; layer++)
      for (const [suffix, weight] of Object.entries(layerFeeds(this.parameters, layer)))
        feeds[`${layer}/${suffix}`] = weight;
    const outputs = await whole.session.run(feeds);
    for (let layer = 0; layer < config.layers; layer++)
      for (const suffix of trainableSuffixes(this.parameters))
        gradients.add(`model.layers.${layer}.${suffix}`, outputs[`${layer}/grad/${suffix}`]!.data as Floats);
    this.addOuter(gradients, batch, packing, { outputs, dx: outputs.dx! });
    return resultsOf(whole, outputs, batch.positions.length);
  }

  /** The same block by block, which keeps the layers' inputs alone. */
  async accumulate(head: HeadSession, batch: SequenceBatch, gradients: Gradients): Promise<TokenResults> {
    const packing = this.pack(batch);
    const inputs = this.takeKept(batch.forward) ?? (await this.layerInputs(batch, packing));
    const states = this.statesAt(batch, packing, inputs.at(-1)!);
    const { results, outputs } = await this.runHead(head, batch, states);
    let dy = this.spreadHidden(batch, packing, outputs.dHidden!.data as Floats);
    const session = await this.blocks.layerBackward(packing.form);
    const suffixes = trainableSuffixes(this.parameters);
    for (let layer = this.parameters.config.layers - 1; layer >= 0; layer--) {
      const feeds = { x: inputs[layer]!, dy, ...layerFeeds(this.parameters, layer), ...packing.feeds };
      const result = await session.run(feeds);
      for (const suffix of suffixes) {
        gradients.add(`model.layers.${layer}.${suffix}`, result[`grad/${suffix}`]!.data as Floats);
      }
      dy = result.dx!;
    }
    this.addOuter(gradients, batch, packing, { outputs, dx: dy });
    return results;
  }

  /** Adds the gradients of what is outside the layers, where it trains. */
  private addOuter(
    gradients: Gradients,
    { ids }: SequenceBatch,
    packing: Packing,
    { outputs, dx }: { outputs: Readonly<Record<string, Tensor>>; dx: Tensor },
  ): void {
    const { config, adapter } = this.parameters;
    if (adapter.kind !== "none") return;
    gradients.add(FINAL_NORM, outputs.dNorm!.data as Floats);
    gradients.add(config.tied ? EMBEDDING : HEAD, outputs.dHead!.data as Floats);
    this.scatterRows(gradients.of(EMBEDDING), ids, packing, dx.data as Floats);
  }

  /** Inputs of every layer [N, D], and the output of the last one at the end. */
  private async layerInputs(batch: SequenceBatch, packing: Packing): Promise<Tensor[]> {
    const session = await this.blocks.layerForward(packing.form);
    const inputs = [this.embedded(batch, packing)];
    for (let layer = 0; layer < this.parameters.config.layers; layer++) {
      const { y } = await session.run({ x: inputs[layer]!, ...layerFeeds(this.parameters, layer), ...packing.feeds });
      inputs.push(y!);
    }
    return inputs;
  }

  /** Embeddings of the tokens in their rows [N, D] */
  private embedded({ ids }: SequenceBatch, { rows, rowOf }: Packing): Tensor {
    const placed = new Int32Array(rows).fill(this.parameters.config.padId);
    ids.forEach((id, i) => {
      placed[rowOf[i]!] = id;
    });
    return embed(this.parameters, placed, [rows]);
  }

  /** The backward pass of `embed`: adds each row to the table row of its id, in order. */
  private scatterRows(table: Floats, ids: Int32Array, { rowOf }: Packing, rows: Floats): void {
    const { width } = this.parameters.config;
    ids.forEach((id, i) => {
      const from = rowOf[i]! * width;
      for (let j = 0; j < width; j++) table[id * width + j]! += rows[from + j]!;
    });
  }

  /** Runs the head on the scored tokens alone. @param states [n*D] */
  private async runHead(head: HeadSession, batch: SequenceBatch, states: Floats) {
    const [n, c] = this.chunksOf(batch);
    const { width } = this.parameters.config;
    const rows = floats(this.floatType, n * c * width);
    rows.set(states);
    for (let i = batch.positions.length; i < n * c; i++) rows.copyWithin(i * width, 0, width);
    const hidden = this.tensor([n, c, width], rows);
    const outputs = await head.session.run({ hidden, ...this.headFeeds(head, batch) });
    return { results: resultsOf(head, outputs, batch.positions.length), outputs };
  }

  /** Scored tokens go through the head in n chunks of c. */
  private chunksOf({ positions }: SequenceBatch): readonly [n: number, c: number] {
    const { vocab } = this.parameters.config;
    const size = Math.min(positions.length, MAX_CHUNK, Math.max(16, Math.floor(LIMITS.logits / vocab)));
    return [Math.ceil(positions.length / size), size];
  }

  /** What a head reads beside the hidden states. The last chunk is filled up with tokens whose features are 0. */
  private headFeeds(head: HeadSession, batch: SequenceBatch): Record<string, Tensor> {
    const { width } = this.parameters.config;
    const shape = this.chunksOf(batch);
    const size = shape[0] * shape[1];
    const targets = new BigInt64Array(size);
    batch.targets.forEach((target, i) => {
      targets[i] = BigInt(target);
    });
    const { norm, head: matrix } = outerTensors(this.parameters);
    const feeds: Record<string, Tensor> = {
      target: { dtype: "int64", shape, data: targets },
      temperature: this.scalar(batch.temperature),
      norm,
      head: matrix,
    };
    for (const [name, values] of Object.entries(batch.features)) {
      const padded = floats(this.floatType, size);
      padded.set(values);
      feeds[`feature/${name}`] = this.tensor(shape, padded);
    }
    for (const [name, value] of Object.entries(batch.scalars)) feeds[`scalar/${name}`] = this.scalar(value);
    for (const name of head.given) {
      const rows = floats(this.floatType, size * width);
      rows.set(batch.distributions![name]!);
      feeds[`${name}/hidden`] = this.tensor([...shape, width], rows);
      feeds[`${name}/head`] = this.otherHeads[name] ?? matrix;
    }
    return feeds;
  }

  /** Puts the gradients of the scored hidden states back to their places; zero elsewhere. */
  private spreadHidden({ positions }: SequenceBatch, { rows, rowOf }: Packing, dHidden: Floats): Tensor {
    const { width } = this.parameters.config;
    const full = floats(this.floatType, rows * width);
    positions.forEach((position, i) => {
      const at = rowOf[position]! * width;
      for (let j = 0; j < width; j++) full[at + j]! += dHidden[i * width + j]!;
    });
    return this.tensor([rows, width], full);
  }

  private tensor(shape: readonly number[], data: Floats): Tensor {
    return { dtype: this.floatType, shape, data } as Tensor;
  }

  private scalar(value: number): Tensor {
    return this.tensor([], floats(this.floatType, 1).fill(value));
  }
}

/** Embedding rows of ids: a gather on the host, which costs one copy. ids [..] → [.., D] */
export function embed(parameters: Parameters, ids: Int32Array, shape: readonly number[]): Tensor {
  const { width } = parameters.config;
  const table = outerTensors(parameters).embedding.data as Floats;
  const rows = floats(parameters.floatType, ids.length * width);
  ids.forEach((id, i) => {
    rows.set(table.subarray(id * width, (id + 1) * width), i * width);
  });
  return { dtype: parameters.floatType, shape: [...shape, width], data: rows } as Tensor;
}

/** What a head told about the first `count` tokens. */
function resultsOf(head: HeadSession, outputs: Readonly<Record<string, Tensor>>, count: number): TokenResults {
  const perRow = (name: string): Floats => (outputs[name]!.data as Floats).slice(0, count);
  const sum = (name: string): number => (outputs[name]!.data as Float64Array).reduce((total, x) => total + x, 0);
  return {
    logp: perRow("logp"),
    entropy: perRow("entropy"),
    perToken: Object.fromEntries(head.perToken.map((name) => [name, perRow(`token/${name}`)])),
    terms: Object.fromEntries(head.terms.map((name) => [name, sum(`term/${name}`)])),
  };
}

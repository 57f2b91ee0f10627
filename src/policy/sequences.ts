import { type FloatType, floats, type Tensor } from "../graph/index.ts";
import type { Floats } from "../optim/index.ts";
import type { Blocks, HeadSession } from "./blocks.ts";
import { type PackedLengths, type Packing, pack } from "./packing.ts";
import { layerFeeds, outerTensors, type Parameters, trainableSuffixes } from "./parameters.ts";
import type { Positions } from "./positions.ts";
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

const HEAD_ELEMENTS = 3 << 20; // logits of one chunk: 64 tokens × 49152, or thousands of tokens of a small vocabulary
const MAX_CHUNK = 4096;
const KEPT_BYTES = 256 << 20; // layer inputs kept from a measuring pass for the update; what is beyond is computed again

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
    if (this.keptBytes + bytes > KEPT_BYTES) return;
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
    return pack(batch, this.parameters.config, this.positions);
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

  /** The same, and adds the gradient of the summed terms to `gradients`. */
  async accumulate(
    head: HeadSession,
    batch: SequenceBatch,
    gradients: ReadonlyMap<string, Floats>,
  ): Promise<TokenResults> {
    const packing = this.pack(batch);
    const inputs = this.takeKept(batch.forward) ?? (await this.layerInputs(batch, packing));
    const { results, outputs } = await this.runHead(head, batch, this.statesAt(batch, packing, inputs.at(-1)!));
    const { config, adapter } = this.parameters;
    const full = adapter.kind === "none";
    if (full) {
      addInto(gradients.get("model.norm.weight")!, outputs.dNorm!.data as Floats);
      addInto(
        gradients.get(config.tied ? "model.embed_tokens.weight" : "lm_head.weight")!,
        outputs.dHead!.data as Floats,
      );
    }
    let dy = this.spreadHidden(batch, packing, outputs.dHidden!.data as Floats);
    const session = await this.blocks.layerBackward(packing.hasTails);
    const suffixes = trainableSuffixes(this.parameters);
    for (let layer = config.layers - 1; layer >= 0; layer--) {
      const feeds = { x: inputs[layer]!, dy, ...layerFeeds(this.parameters, layer), ...packing.feeds };
      const result = await session.run(feeds);
      for (const suffix of suffixes) {
        addInto(gradients.get(`model.layers.${layer}.${suffix}`)!, result[`grad/${suffix}`]!.data as Floats);
      }
      dy = result.dx!;
    }
    if (full) this.scatterRows(gradients.get("model.embed_tokens.weight")!, batch.ids, packing, dy.data as Floats);
    return results;
  }

  /** Inputs of every layer [N, D], and the output of the last one at the end. */
  private async layerInputs({ ids }: SequenceBatch, { rows, rowOf, feeds, hasTails }: Packing): Promise<Tensor[]> {
    const session = await this.blocks.layerForward(hasTails);
    const placed = new Int32Array(rows).fill(this.parameters.config.padId);
    ids.forEach((id, i) => {
      placed[rowOf[i]!] = id;
    });
    const inputs = [embed(this.parameters, placed, [rows])];
    for (let layer = 0; layer < this.parameters.config.layers; layer++) {
      const { y } = await session.run({ x: inputs[layer]!, ...layerFeeds(this.parameters, layer), ...feeds });
      inputs.push(y!);
    }
    return inputs;
  }

  /** The backward pass of `embed`: adds each row to the table row of its id, in order. */
  private scatterRows(table: Floats, ids: Int32Array, { rowOf }: Packing, rows: Floats): void {
    const { width } = this.parameters.config;
    ids.forEach((id, i) => {
      const from = rowOf[i]! * width;
      for (let j = 0; j < width; j++) table[id * width + j]! += rows[from + j]!;
    });
  }

  /** Runs the head on the scored tokens alone, in n chunks of c. The last chunk is filled up with copies whose features are 0. */
  private async runHead(head: HeadSession, batch: SequenceBatch, states: Floats) {
    const { config } = this.parameters;
    const count = batch.positions.length;
    const size = Math.min(count, MAX_CHUNK, Math.max(16, Math.floor(HEAD_ELEMENTS / config.vocab)));
    const chunks = Math.ceil(count / size);
    const shape = [chunks, size];
    const source = (i: number): number => Math.min(i, count - 1);
    const rows = floats(this.floatType, chunks * size * config.width);
    const targets = new BigInt64Array(chunks * size);
    for (let i = 0; i < chunks * size; i++) {
      const from = source(i) * config.width;
      rows.set(states.subarray(from, from + config.width), i * config.width);
      targets[i] = BigInt(batch.targets[source(i)]!);
    }
    const { norm, head: matrix } = outerTensors(this.parameters);
    const feeds: Record<string, Tensor> = {
      hidden: this.tensor([...shape, config.width], rows),
      target: { dtype: "int64", shape, data: targets },
      temperature: this.scalar(batch.temperature),
      norm,
      head: matrix,
    };
    for (const [name, values] of Object.entries(batch.features)) {
      const padded = floats(this.floatType, chunks * size);
      padded.set(values);
      feeds[`feature/${name}`] = this.tensor(shape, padded);
    }
    for (const [name, value] of Object.entries(batch.scalars)) feeds[`scalar/${name}`] = this.scalar(value);
    for (const name of head.given) {
      const rows = floats(this.floatType, chunks * size * config.width);
      rows.set(batch.distributions![name]!);
      feeds[`${name}/hidden`] = this.tensor([...shape, config.width], rows);
      feeds[`${name}/head`] = this.otherHeads[name] ?? matrix;
    }
    const outputs = await head.session.run(feeds);
    const perRow = (name: string): Floats => (outputs[name]!.data as Floats).slice(0, count);
    const sum = (name: string): number => (outputs[name]!.data as Float64Array).reduce((total, x) => total + x, 0);
    const results: TokenResults = {
      logp: perRow("logp"),
      entropy: perRow("entropy"),
      perToken: Object.fromEntries(head.perToken.map((name) => [name, perRow(`token/${name}`)])),
      terms: Object.fromEntries(head.terms.map((name) => [name, sum(`term/${name}`)])),
    };
    return { results, outputs };
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

function addInto(sum: Floats, values: Floats): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
}

import { type FloatType, floats, sizeOf, type Tensor } from "../graph/index.ts";
import type { Floats, ParameterTree } from "../optim/index.ts";
import { createRng } from "../utils/rng.ts";
import type { ModelConfig } from "./config.ts";
import { EMBEDDING, FINAL_NORM, HEAD, layerParameter, layerShapes, parameterShapes } from "./families.ts";
import { type Adapter, loraShapes } from "./lora.ts";
import { openModel } from "./model-files.ts";

/** All weights of a policy as float tensors by Hugging Face name, and which of them train. The sampler and the update read the same arrays. */
export interface Parameters {
  readonly config: ModelConfig;
  readonly adapter: Adapter;
  readonly floatType: FloatType;
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** The trained arrays, in a fixed order. */
  readonly trainable: ParameterTree;
}

/** Where the weights come from: a model's files, or random numbers. */
export type WeightOrigin =
  | { readonly kind: "files"; readonly path: string }
  | { readonly kind: "initial"; readonly config: ModelConfig; readonly seed: number; readonly scale: number };

/** Reads one tensor of a model as float32. */
export type TensorReader = (name: string) => Float32Array<ArrayBuffer>;

/** Weights from where they come from, with a fresh adapter. @throws DataError when the files cannot be read */
export function parametersOf(
  origin: WeightOrigin,
  adapter: Adapter,
  options: { floatType: FloatType; seed: number },
): Parameters {
  if (origin.kind === "initial") {
    return loadParameters(origin.config, adapter, initialReader(origin.config, origin), options);
  }
  const files = openModel(origin.path, { tokenizer: "optional" });
  try {
    return loadParameters(files.config, adapter, (name) => files.read(name), options);
  } finally {
    files.close();
  }
}

/** The same base weights with the adapter switched off: every B is zero. Nothing trains. */
export function withoutAdapter(parameters: Parameters): Parameters {
  const tensors = new Map(
    [...parameters.tensors].map(([name, tensor]): [string, Tensor] => [
      name,
      name.endsWith("lora_B.weight") ? zeros(tensor) : tensor,
    ]),
  );
  return { ...parameters, tensors, trainable: new Map() };
}

function zeros(tensor: Tensor): Tensor {
  return { ...tensor, data: (tensor.data as Floats).slice().fill(0) } as Tensor;
}

/**
 * Loads the base weights and adds a fresh adapter: A uniform in ±1/√in (as PEFT's Kaiming initialisation), B zero, so that the first
 * forward pass is the base model's.
 */
export function loadParameters(
  config: ModelConfig,
  adapter: Adapter,
  read: TensorReader,
  options: { floatType: FloatType; seed: number },
): Parameters {
  const tensors = new Map<string, Tensor>();
  for (const [name, shape] of parameterShapes(config))
    tensors.set(name, asTensor(options.floatType, shape, read(name)));
  const rng = createRng(options.seed).fork("adapter");
  const added: string[] = [];
  for (let layer = 0; layer < config.layers; layer++) {
    for (const [suffix, shape] of loraShapes(config, adapter)) {
      const name = layerParameter(layer, suffix);
      const data = floats(options.floatType, sizeOf(shape));
      const bound = 1 / Math.sqrt(shape[1]);
      const stream = rng.fork(name);
      if (suffix.endsWith("lora_A.weight"))
        for (let i = 0; i < data.length; i++) data[i] = (2 * stream.uniform() - 1) * bound;
      tensors.set(name, { dtype: options.floatType, shape, data } as Tensor);
      added.push(name);
    }
  }
  const names = adapter.kind === "none" ? [...tensors.keys()] : added;
  const trainable = new Map(names.map((name) => [name, tensors.get(name)!.data as Floats]));
  return { config, adapter, floatType: options.floatType, tensors, trainable };
}

function asTensor(floatType: FloatType, shape: readonly number[], data: Float32Array): Tensor {
  return floatType === "float32"
    ? { dtype: "float32", shape, data }
    : { dtype: "float64", shape, data: Float64Array.from(data) };
}

/**
 * Weights of an untrained model: norms 1, matrices normal with deviation scale/√width, the maps back into the residual stream divided by
 * √(2·layers) besides. A tied head with unit-size embeddings would repeat its input at the start; scale 0.5 does not.
 */
export function initialReader(config: ModelConfig, options: { seed: number; scale: number }): TensorReader {
  const rng = createRng(options.seed).fork("initial-weights");
  const shapes = parameterShapes(config);
  return (name) => {
    const shape = shapes.get(name)!;
    const data = new Float32Array(sizeOf(shape));
    if (shape.length === 1) return name.endsWith("bias") ? data : data.fill(1);
    const intoResidual = /(o_proj|down_proj)\.weight$/.test(name) ? Math.sqrt(2 * config.layers) : 1;
    const deviation = options.scale / Math.sqrt(config.width) / intoResidual;
    const stream = rng.fork(name);
    for (let i = 0; i < data.length; i++) data[i] = stream.normal() * deviation;
    return data;
  };
}

/** Feeds of one layer's weights by suffix, in the order of the layer's inputs. */
export function layerFeeds(parameters: Parameters, layer: number): Record<string, Tensor> {
  return Object.fromEntries(
    layerSuffixes(parameters).map((suffix) => [suffix, parameters.tensors.get(layerParameter(layer, suffix))!]),
  );
}

/** Shapes of everything that a layer reads, adapter included, by suffix. */
export function layerInputShapes(config: ModelConfig, adapter: Adapter): Map<string, readonly number[]> {
  return new Map<string, readonly number[]>([...layerShapes(config), ...loraShapes(config, adapter)]);
}

/** Suffixes of the parameters of a layer that train. */
export function trainableSuffixes(parameters: Parameters): string[] {
  const { config, adapter } = parameters;
  return [...(adapter.kind === "none" ? layerShapes(config) : loraShapes(config, adapter)).keys()];
}

function layerSuffixes({ config, adapter }: Parameters): string[] {
  return [...layerInputShapes(config, adapter).keys()];
}

/** The tensors outside the layers. */
export function outerTensors({ config, tensors }: Parameters): { embedding: Tensor; norm: Tensor; head: Tensor } {
  const embedding = tensors.get(EMBEDDING)!;
  return { embedding, norm: tensors.get(FINAL_NORM)!, head: config.tied ? embedding : tensors.get(HEAD)! };
}

import { join } from "node:path";
import type { Tensor } from "../graph/index.ts";
import { type Floats, flattenMoments, type Optimizer, type OptimizerState } from "../optim/index.ts";
import { DataError } from "../utils/errors.ts";
import { ADAPTER_FILE, peftName } from "./adapter-files.ts";
import type { Parameters } from "./parameters.ts";
import { openSafetensors } from "./safetensors.ts";
import { writeSafetensors } from "./safetensors-write.ts";

/** All weights of a fully trained policy, as Hugging Face names the file: a checkpoint is a model folder too. */
export const MODEL_FILE = "model.safetensors";
const OPTIMIZER_FILE = "optimizer.safetensors";

/** Writes the trained weights: `model.safetensors`, or `adapter_model.safetensors` with PEFT's names. */
export function saveWeights(parameters: Parameters, folder: string): void {
  const tensors = tensorsToWrite(parameters, parameters.trainable);
  const renamed = tensors.map((tensor) => ({ ...tensor, name: fileName(parameters, tensor.name) }));
  writeSafetensors(join(folder, weightsFile(parameters)), renamed, { format: "pt" });
}

/** Reads what `saveWeights` wrote into the trained weights. @throws DataError when a tensor is missing or has another size */
export function loadWeights(parameters: Parameters, folder: string): void {
  const weights = openSafetensors(join(folder, weightsFile(parameters)));
  try {
    fill(parameters, weights, parameters.trainable, (name) => fileName(parameters, name));
  } finally {
    weights.close();
  }
}

/** The same base weights with the trained weights of a folder in place of the present ones. Nothing trains. @throws DataError as {@link loadWeights} */
export function withWeightsOf(parameters: Parameters, folder: string): Parameters {
  const trainable = new Map([...parameters.trainable].map(([name, data]) => [name, data.slice()]));
  loadWeights({ ...parameters, trainable }, folder);
  const tensors = new Map(
    [...parameters.tensors].map(([name, tensor]): [string, Tensor] => [
      name,
      trainable.has(name) ? ({ ...tensor, data: trainable.get(name)! } as Tensor) : tensor,
    ]),
  );
  return { ...parameters, tensors, trainable: new Map() };
}

/** Writes the optimizer's moments. */
export function saveMoments(parameters: Parameters, state: OptimizerState, folder: string): void {
  const tensors = tensorsToWrite(parameters, flattenMoments(state));
  writeSafetensors(join(folder, OPTIMIZER_FILE), tensors, { updates: String(state.count) });
}

/** Reads what `saveMoments` wrote. @throws DataError when a tensor is missing or has another size */
export function loadMoments(parameters: Parameters, optimizer: Optimizer, folder: string): OptimizerState {
  const file = openSafetensors(join(folder, OPTIMIZER_FILE));
  try {
    const state = optimizer.init(parameters.trainable);
    fill(parameters, file, flattenMoments(state));
    return { ...state, count: Number(file.metadata.updates) };
  } finally {
    file.close();
  }
}

function tensorsToWrite(parameters: Parameters, tree: ReadonlyMap<string, Floats>) {
  const dtype = parameters.floatType === "float32" ? ("F32" as const) : ("F64" as const);
  const shapeOf = (name: string, data: Floats): readonly number[] =>
    parameters.tensors.get(name.replace(/^[mv]\//, ""))?.shape ?? [data.length];
  return [...tree].map(([name, data]) => ({ name, dtype, shape: shapeOf(name, data), data }));
}

function weightsFile({ adapter }: Parameters): string {
  return adapter.kind === "none" ? MODEL_FILE : ADAPTER_FILE;
}

function fileName({ adapter }: Parameters, name: string): string {
  return adapter.kind === "none" ? name : peftName(name);
}

function fill(
  { floatType }: Parameters,
  file: ReturnType<typeof openSafetensors>,
  tree: ReadonlyMap<string, Floats>,
  rename: (name: string) => string = (name) => name,
): void {
  for (const [parameter, array] of tree) {
    const name = rename(parameter);
    const values = floatType === "float32" ? file.read(name) : file.readFloat64(name);
    if (values.length !== array.length) {
      throw new DataError(`${file.path}: ${name} has ${values.length} values, this policy needs ${array.length}`);
    }
    array.set(values);
  }
}

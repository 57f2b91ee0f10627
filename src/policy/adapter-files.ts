import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DataError } from "../utils/errors.ts";
import { writeFileAtomic } from "../utils/files.ts";
import type { ModelConfig } from "./config.ts";
import { layerParameter, layerShapes } from "./families.ts";
import { type Adapter, ALL_LINEAR, loraShapes } from "./lora.ts";
import { type FloatDtype, openSafetensors, type SafetensorsFile } from "./safetensors.ts";
import { writeSafetensors } from "./safetensors-write.ts";
import { readJsonFile } from "./weights.ts";

/** The trained additions of a LoRA policy, as PEFT names the file and the tensors in it. */
export const ADAPTER_FILE = "adapter_model.safetensors";
/** An adapter that is one. */
export type LoraAdapter = Extract<Adapter, { kind: "lora" }>;
const ADAPTER_CONFIG = "adapter_config.json";
/** `ORG/NAME@REVISION` */
const HUB_REVISION = /^([\w-][\w.-]*\/[\w-][\w.-]*)@([\w./-]+)$/;
const PREFIX = "base_model.model.";

/** Name of a trained tensor in PEFT's file. */
export function peftName(parameter: string): string {
  return `${PREFIX}${parameter}`;
}

/** Whether a folder holds an adapter, as Python's peft and this library write them. */
export function isAdapterFolder(folder: string): boolean {
  return existsSync(join(folder, ADAPTER_CONFIG));
}

/** What adapter_config.json says. */
export interface AdapterSettings {
  /** Name or path of the model under it; `ORG/NAME@REVISION` where a revision is given. */
  readonly base: string;
  readonly rank: number;
  /** For a scale of alpha / rank, whatever scale the file asks for. */
  readonly alpha: number;
}

const AdapterConfigFile = z.looseObject({
  peft_type: z.literal("LORA"),
  base_model_name_or_path: z.string().min(1),
  revision: z.string().nullish(),
  r: z.int().positive(),
  lora_alpha: z.number().positive(),
  use_rslora: z.boolean().nullish(),
  bias: z.string().default("none"),
  init_lora_weights: z.union([z.boolean(), z.string()]).nullish(),
});

/** Keys that change the mathematics, or the set of weights, in a way that this engine does not have. */
const REFUSED = [
  ...["use_dora", "lora_bias", "fan_in_fan_out", "modules_to_save", "layers_to_transform", "layer_replication"],
  ...["rank_pattern", "alpha_pattern", "trainable_token_indices", "target_parameters", "alora_invocation_tokens"],
  ...["use_qalora", "use_bdlora", "arrow_config", "kasa_config", "velora_config", "monteclora_config"],
];
/** Ways to begin that leave the base model as it is. Others (PiSSA, OLoRA, CorDA, LoftQ, LoRA-GA) write other weights into it, so that one not known here may too. */
const KEEPS_BASE: readonly unknown[] = [true, false, null, undefined, "gaussian", "eva", "orthogonal"];

/** Reads adapter_config.json of a folder. @throws DataError as {@link parseAdapterSettings} */
export function readAdapterSettings(folder: string): AdapterSettings {
  const file = join(folder, ADAPTER_CONFIG);
  return parseAdapterSettings(readJsonFile(file), file);
}

/**
 * Reads the content of an adapter_config.json.
 * @throws DataError when it is no LoRA adapter, names no base model or asks for what the engine cannot compute, all such keys named
 */
export function parseAdapterSettings(json: unknown, file: string): AdapterSettings {
  const parsed = AdapterConfigFile.safeParse(json);
  if (!parsed.success) throw new DataError(`${file}: not a usable LoRA adapter\n${z.prettifyError(parsed.error)}`);
  const { r, lora_alpha, use_rslora, base_model_name_or_path: name, revision, ...rest } = parsed.data;
  const bad = REFUSED.filter((key) => !isEmpty(rest[key])).map((key) => `${key} ${JSON.stringify(rest[key])}`);
  if (rest.bias !== "none") bad.push(`bias ${JSON.stringify(rest.bias)}`);
  const start = rest.init_lora_weights;
  if (!KEEPS_BASE.includes(start))
    bad.push(
      `init_lora_weights ${JSON.stringify(start)} (it may change the base model; true, false, null, "gaussian", "eva" and "orthogonal" do not)`,
    );
  if (bad.length > 0) throw new DataError(`${file}: not supported: ${bad.join("; ")}. Merge it with Python's peft`);
  const isOfHub = revision && HUB_REVISION.test(`${name}@${revision}`) && !existsSync(name); // peft writes a revision beside paths too
  const base = isOfHub ? `${name}@${revision}` : name;
  return { base, rank: r, alpha: use_rslora ? lora_alpha * Math.sqrt(r) : lora_alpha };
}

function isEmpty(value: unknown): boolean {
  return !value || (typeof value === "object" && Object.keys(value).length === 0);
}

/**
 * The adapter of a folder, held against the model that it is for: every tensor has its place and its shape there. Which maps it adds to is
 * read from its tensors, since adapter_config.json may have a pattern.
 * @param where the base model, for messages
 * @throws DataError when tensors are missing, surplus or of other shapes
 */
export function adapterFor(folder: string, config: ModelConfig, where: string): LoraAdapter {
  const { rank, alpha } = readAdapterSettings(folder);
  const file = openAdapterFile(folder);
  try {
    const targets = targetsOf(file, config);
    const adapter = { kind: "lora", rank, alpha, targets } as const;
    checkShapes(file, config, adapter, where);
    return adapter;
  } finally {
    file.close();
  }
}

/** Opens the tensors of an adapter. @throws DataError when they are missing */
export function openAdapterFile(folder: string): SafetensorsFile {
  const path = join(folder, ADAPTER_FILE);
  if (existsSync(path)) return openSafetensors(path);
  const pickled = existsSync(join(folder, "adapter_model.bin"))
    ? " (adapter_model.bin is not read: save the adapter as safetensors)"
    : "";
  throw new DataError(`${folder}: ${ADAPTER_FILE} is missing${pickled}`);
}

/** Maps that have a pair of matrices, in the order in which a layer uses them. @throws DataError for tensors of any other kind */
function targetsOf(file: SafetensorsFile, config: ModelConfig): string[] {
  const linear = [...layerShapes(config).keys()].filter((name) =>
    ALL_LINEAR.some((map) => name.endsWith(`.${map}.weight`)),
  );
  const ends = linear.map((name) => name.replace(/\.weight$/, ""));
  const found = new Set<string>();
  const other: string[] = [];
  for (const name of file.tensors.keys()) {
    const [, map] = /^base_model\.model\.model\.layers\.\d+\.(.+)\.lora_[AB]\.weight$/.exec(name) ?? [];
    if (map === undefined || !ends.includes(map)) other.push(name);
    else found.add(map.split(".").at(-1)!);
  }
  if (other.length > 0)
    throw new DataError(
      `${file.path}: ${listed(other)}: not supported; an adapter may add to ${ALL_LINEAR.join(", ")} of the layers`,
    );
  if (found.size === 0) throw new DataError(`${file.path}: holds no adapter matrices`);
  return ALL_LINEAR.filter((map) => found.has(map));
}

function checkShapes(file: SafetensorsFile, config: ModelConfig, adapter: Adapter, where: string): void {
  const shapes = loraShapes(config, adapter);
  const expected = new Map<string, readonly number[]>();
  for (let layer = 0; layer < config.layers; layer++)
    for (const [suffix, shape] of shapes) expected.set(peftName(layerParameter(layer, suffix)), shape);
  const missing = [...expected.keys()].filter((name) => !file.tensors.has(name));
  const surplus = [...file.tensors.keys()].filter((name) => !expected.has(name));
  const wrong = [...expected]
    .filter(([name, shape]) => file.tensors.has(name) && file.tensors.get(name)!.shape.join() !== shape.join())
    .map(([name, shape]) => `${name} is [${file.tensors.get(name)!.shape}], the base model needs [${shape}]`);
  const parts = [
    wrong.length > 0 ? `wrong shape: ${listed(wrong, 3)}` : "",
    surplus.length > 0 ? `layers that the base model lacks: ${listed(surplus, 3)}` : "",
    missing.length > 0 ? `not in every layer: missing ${listed(missing, 3)}` : "",
  ].filter(Boolean);
  if (parts.length > 0)
    throw new DataError(
      `${file.path}: does not fit ${where}: ${parts.join("; ")}. Is the adapter for another base model?`,
    );
}

function listed(items: readonly string[], most = 5): string {
  const more = items.length > most ? ` and ${items.length - most} more` : "";
  return `${items.slice(0, most).join(", ")}${more}`;
}

/** Writes adapter_config.json, as Python's peft reads it. */
export function writeAdapterConfig(folder: string, adapter: LoraAdapter, base: string): void {
  const [, name, revision] = HUB_REVISION.exec(base) ?? [base, base];
  const json = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: name,
    ...(revision !== undefined && { revision }),
    r: adapter.rank,
    lora_alpha: adapter.alpha,
    target_modules: adapter.targets,
    lora_dropout: 0,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
  };
  writeFileAtomic(join(folder, ADAPTER_CONFIG), `${JSON.stringify(json, null, 2)}\n`);
}

/** Copies an adapter into another folder, in another number format, for another name of its base. */
export function copyAdapter(
  folder: string,
  to: { readonly out: string; readonly dtype: FloatDtype; readonly adapter: Adapter; readonly base: string },
): void {
  const { out, dtype, adapter, base } = to;
  if (adapter.kind !== "lora") throw new DataError(`${folder}: is no adapter`);
  const file = openAdapterFile(folder);
  try {
    const tensors = [...file.tensors.values()].map(({ name, shape }) => ({
      ...{ name, dtype, shape },
      data: () => file.read(name),
    }));
    writeSafetensors(join(out, ADAPTER_FILE), tensors, { format: "pt" });
    writeAdapterConfig(out, adapter, base);
  } finally {
    file.close();
  }
}

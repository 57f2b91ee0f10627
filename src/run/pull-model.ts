import { ADAPTER_FILE, parseAdapterSettings } from "../policy/adapter-files.ts";
import {
  type HubFile,
  type HubProgress,
  type HubPull,
  type HubRepo,
  type HubSettings,
  hubRepo,
  hubSettings,
  parseModelConfig,
  pullHubFiles,
} from "../policy/index.ts";
import { readJsonFile, readShardIndex } from "../policy/weights.ts";
import { fitsPattern } from "../rollout/data/known-sets.ts";
import { ConfigError, DataError, messageOf } from "../utils/errors.ts";
import { inspectModel, type ModelReport } from "./models.ts";

/** What to bring. */
export interface ModelPullRequest {
  /** `ORG/NAME` */
  readonly name: string;
  /** Patterns of files; what a model needs when empty. */
  readonly files?: readonly string[];
  readonly revision?: string;
}

/** A model that was brought. */
export interface PulledModel extends HubPull {
  /** How a recipe names it. */
  readonly name: string;
  /** What is in it; null when it was brought file by file and is no whole model. */
  readonly model: ModelReport | null;
  /** Why it cannot be used as it is. */
  readonly problem: string | null;
}

/** Files beside the weights that are read, where a repository has them. */
const BESIDE = [
  ...["config.json", "generation_config.json", "adapter_config.json"],
  ...["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"],
];
const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";

/**
 * Brings a model from the hub into the cache of Hugging Face's tools: its description first, and the weights only when the engine can run them.
 * @throws ConfigError, DataError when it cannot be run, HubError
 */
export async function pullModel(
  { name, files: patterns = [], revision = "main" }: ModelPullRequest,
  settings: HubSettings = hubSettings(),
  progress?: HubProgress,
): Promise<PulledModel> {
  const repo = hubRepo("models", name, revision);
  const choose: Parameters<typeof pullHubFiles>[1] = async (files, bring) => {
    const chosen = patterns.length > 0 ? namedFiles(repo, files, patterns) : await neededFiles(repo, files, bring);
    if (chosen.some(({ path }) => path.endsWith(".safetensors"))) await checkRunnable(repo, files, bring);
    return chosen;
  };
  const pulled = await pullHubFiles(repo, choose, settings, progress);
  const asNamed = revision === "main" ? name : `${name}@${revision}`;
  try {
    return { ...pulled, name: asNamed, model: inspectModel(pulled.folder, false), problem: null };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return { ...pulled, name: asNamed, model: null, problem: messageOf(error) };
  }
}

type Bring = (file: HubFile) => Promise<string>;

/** Refuses safetensors that the engine cannot run, by the description beside them. GGUF files describe themselves, whatever config.json a repository of them has. */
async function checkRunnable(repo: HubRepo, files: readonly HubFile[], bring: Bring): Promise<void> {
  const read = async (path: string): Promise<unknown> => {
    const file = files.find((entry) => entry.path === path);
    return file && readJsonFile(await bring(file));
  };
  const [adapter, config] = [await read("adapter_config.json"), await read("config.json")];
  if (adapter !== undefined) parseAdapterSettings(adapter, `${repo.id}/adapter_config.json`);
  else if (config !== undefined)
    parseModelConfig(config, `${repo.id}/config.json`, await read("generation_config.json"));
}

async function neededFiles(repo: HubRepo, files: readonly HubFile[], bring: Bring): Promise<readonly HubFile[]> {
  const find = (path: string): HubFile | undefined => files.find((file) => file.path === path);
  const beside = files.filter(({ path }) => BESIDE.includes(path));
  const whole = find("adapter_config.json") ? find(ADAPTER_FILE) : find(SINGLE);
  if (whole) return [...beside, whole];
  const index = find(INDEX);
  if (!index) throw new ConfigError(`${repo.id}: has no weights that can be read: ${adviceFor(files)}`);
  const shards = readShardIndex(await bring(index)).names;
  const missing = shards.filter((name) => !find(name));
  if (missing.length > 0)
    throw new DataError(`${repo.id}: its ${INDEX} names shards that it lacks: ${missing.join(", ")}`);
  return [...beside, index, ...shards.map((name) => find(name)!)];
}

function adviceFor(files: readonly HubFile[]): string {
  const ggufs = files.map(({ path }) => path).filter((path) => path.endsWith(".gguf"));
  if (ggufs.length > 0) return `choose one of its GGUF files with --file: ${ggufs.join(", ")}`;
  const pickled = files.find(({ path }) => /\.(bin|pt|pth)$/.test(path));
  return `${SINGLE} and ${INDEX} are missing${pickled ? ` (${pickled.path} is not read: look for the model as safetensors)` : ""}`;
}

function namedFiles(repo: HubRepo, files: readonly HubFile[], patterns: readonly string[]): readonly HubFile[] {
  const missing = patterns.find((pattern) => !files.some(({ path }) => fitsPattern(path, pattern)));
  if (missing === undefined) return files.filter(({ path }) => patterns.some((pattern) => fitsPattern(path, pattern)));
  throw new ConfigError(
    `${repo.id}: has no file ${missing}; it holds ${files
      .slice(0, 12)
      .map(({ path }) => path)
      .join(", ")}${files.length > 12 ? ` and ${files.length - 12} more` : ""}`,
  );
}

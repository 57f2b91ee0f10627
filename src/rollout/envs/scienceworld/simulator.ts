import { EnvError } from "../../../utils/errors.ts";
import { findJar, findJava, Jvm } from "../jvm.ts";
import { sendWithoutDelay } from "../py4j-delay.ts";
import type { JavaArgument, JavaReference, JavaValue } from "../py4j-values.ts";
import type { EnvSplit } from "../types.ts";

const LABEL = "scienceworld";

/** Where the simulator is and how patient to be. */
export interface ScienceWorldPlace {
  /** Path of the JAR; null: environment variable, working folder, package. */
  readonly jar: string | null;
  /** Path of `java`; null: JAVA_HOME, search path. */
  readonly java: string | null;
  readonly callMs: number;
  /** Largest heap, MB; default that of {@link Jvm}. Gold paths of some tasks need more than it. */
  readonly heapMb?: number;
}

/** What is loaded. */
export interface ScienceWorldLoad {
  readonly task: string;
  readonly variation: number;
  /** Joined with commas, no spaces; "" for none. */
  readonly simplification: string;
  /** Makes the gold path too, which takes 0.3 s and more. */
  readonly goldPath: boolean;
}

/** What an action did. */
export interface ScienceWorldStep {
  readonly observation: string;
  /** 100 times the simulator's score, rounded half to even as Python does; -100 after a failure. */
  readonly score: number;
  /** All ordered subgoals are done. */
  readonly completed: boolean;
  readonly moves: number;
}

/** Finds the JAR and Java. @throws ConfigError naming what brings them */
export function findScienceWorld({ jar, java }: ScienceWorldPlace): { jar: string; java: string } {
  const path = "models/scienceworld/scienceworld.jar";
  const script = "bash scripts/fetch-scienceworld";
  return { jar: findJar({ option: jar, variable: "SCIENCEWORLD_JAR", path, script }), java: findJava(java) };
}

/** One running ScienceWorld simulator. Simplifications belong to the whole JVM, so it plays one episode at a time. */
export class ScienceWorld {
  readonly #jvm: Jvm;
  readonly #world: JavaReference;

  private constructor(jvm: Jvm, world: JavaReference) {
    this.#jvm = jvm;
    this.#world = world;
  }

  /** @throws ConfigError when the JAR or Java is missing @throws EnvError when the JVM does not start */
  static async start(place: ScienceWorldPlace): Promise<ScienceWorld> {
    const { jar, java } = findScienceWorld(place);
    const startMs = 60_000;
    const { callMs, heapMb } = place;
    const options = { jar, java, startMs, callMs, label: LABEL, ...(heapMb && { heapMb }) } as const;
    const jvm = await Jvm.start({ ...options, mainClass: "py4j.GatewayServer", port: "printed" });
    try {
      const { gateway } = jvm;
      await sendWithoutDelay(gateway);
      // It prints debugging texts at every step; nobody reads them.
      const nowhere = await gateway.construct("java.io.PrintStream", ["/dev/null"]);
      await gateway.call("z:java.lang.System", "setOut", [nowhere]);
      const world = await gateway.construct("scienceworld.runtime.pythonapi.PythonInterface", [], startMs);
      return new ScienceWorld(jvm, world);
    } catch (error) {
      await jvm.close();
      throw error;
    }
  }

  /** Process id of its JVM. */
  get pid(): number {
    return this.#jvm.pid;
  }

  /** Whether it runs and can be called. */
  get isAlive(): boolean {
    return this.#jvm.isAlive;
  }

  /** Version in the JAR's manifest. */
  version(): Promise<string> {
    return this.#jvm.gateway.versionOf("scienceworld.runtime.pythonapi");
  }

  /** Names of all tasks, sorted. */
  taskNames(): Promise<string[]> {
    return this.#texts("getTaskNames");
  }

  /** Number of variations of a task. */
  async variationCount(task: string): Promise<number> {
    return this.#expect("number", await this.#call("getTaskMaxVariations", task), "getTaskMaxVariations");
  }

  /** Variations of a split of the loaded task. */
  async variations(split: EnvSplit): Promise<number[]> {
    const method = { train: "getVariationsTrain", dev: "getVariationsDev", test: "getVariationsTest" }[split];
    return this.#jvm.gateway.wholeNumbers((await this.#call(method)) as JavaReference);
  }

  /** Starts an episode. @throws EnvError for a task, variation or simplification that does not exist */
  async load({ task, variation, simplification, goldPath }: ScienceWorldLoad): Promise<void> {
    const problem = await this.#text("load", task, variation, simplification, goldPath);
    if (problem !== "") throw new EnvError(`${LABEL}: ${task}, variation ${variation}: ${problem.trim()}`);
  }

  /** Starts the loaded episode again. */
  async reset(): Promise<void> {
    await this.#text("reset");
  }

  /** Acts. All four questions go out together. */
  async step(action: string): Promise<ScienceWorldStep> {
    const [observation, score, completed, moves] = await Promise.all([
      this.#call("step", action),
      this.#call("getScore"),
      this.#call("getCompleted"),
      this.#call("getNumMoves"),
    ]);
    return {
      observation: this.#expect("string", observation, "step"),
      score: roundHalfEven(100 * this.#expect("number", score, "getScore")),
      completed: this.#expect("boolean", completed, "getCompleted"),
      moves: this.#expect("number", moves, "getNumMoves"),
    };
  }

  /** What there is to see; no time passes. */
  look(): Promise<string> {
    return this.#text("freeActionLook");
  }

  /** What the agent carries; no time passes. */
  inventory(): Promise<string> {
    return this.#text("freeActionInventory");
  }

  /** The task in words, after a head line. */
  freeTaskDescription(): Promise<string> {
    return this.#text("freeActionTaskDesc");
  }

  /** The task in words. */
  taskDescription(): Promise<string> {
    return this.#text("getTaskDescription");
  }

  /** All actions with all objects that fit, sorted. Expensive: tens of milliseconds, up to thousands of actions. */
  validActions(): Promise<string[]> {
    return this.#texts("getValidActionObjectCombinations");
  }

  /** Actions that solve the episode; it must have been loaded with its gold path. */
  goldActions(): Promise<string[]> {
    return this.#texts("getGoldActionSequence");
  }

  /** Table of the subgoals and which of them are done. */
  goalProgress(): Promise<string> {
    return this.#text("getGoalProgressStr");
  }

  /** Simplifications of the loaded episode, joined with ", ". */
  simplificationsUsed(): Promise<string> {
    return this.#text("getSimplificationsUsed");
  }

  /** Ends the JVM, also in the middle of a call. */
  close(): Promise<void> {
    return this.#jvm.close();
  }

  #call(method: string, ...args: JavaArgument[]): Promise<JavaValue> {
    return this.#jvm.gateway.call(this.#world, method, args);
  }

  async #text(method: string, ...args: JavaArgument[]): Promise<string> {
    return this.#expect("string", await this.#call(method, ...args), method);
  }

  async #texts(method: string): Promise<string[]> {
    return this.#jvm.gateway.strings((await this.#call(method)) as JavaReference);
  }

  #expect(type: "string", value: JavaValue, method: string): string;
  #expect(type: "number", value: JavaValue, method: string): number;
  #expect(type: "boolean", value: JavaValue, method: string): boolean;
  #expect(type: string, value: JavaValue, method: string): unknown {
    const isFine = type === "number" ? Number.isFinite(value) : typeof value === type;
    if (!isFine) throw unexpected(method, value);
    return value;
  }
}

function unexpected(method: string, value: unknown): EnvError {
  return new EnvError(`${LABEL}: ${method} returned ${JSON.stringify(String(value).slice(0, 200))}`);
}

/** Nearest whole number; of two that are as near, the even one. */
export function roundHalfEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

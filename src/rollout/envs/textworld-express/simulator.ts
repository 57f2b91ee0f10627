import { z } from "zod";
import { EnvError, messageOf } from "../../../utils/errors.ts";
import { findJar, findJava, Jvm } from "../jvm.ts";
import type { JavaArgument, JavaReference } from "../py4j-values.ts";
import type { EnvSplit } from "../types.ts";

const LABEL = "textworld-express";

/** All that the simulator tells after a step. */
export const GameState = z.object({
  observation: z.string(),
  look: z.string(),
  inventory: z.string(),
  validActions: z.array(z.string()),
  scoreRaw: z.number(),
  score: z.number(),
  tasksuccess: z.boolean(),
  taskfailure: z.boolean(),
});
export type GameState = z.infer<typeof GameState>;

/** Where the simulator is and how patient to be. */
export interface TextWorldExpressPlace {
  /** Path of the JAR; null: environment variable, working folder, package. */
  readonly jar: string | null;
  /** Path of `java`; null: JAVA_HOME, search path. */
  readonly java: string | null;
  readonly callMs: number;
}

/** Finds the JAR and Java. @throws ConfigError naming what brings them */
export function findTextWorldExpress({ jar, java }: TextWorldExpressPlace): { jar: string; java: string } {
  const path = "models/textworld-express/textworld-express.jar";
  const script = "bash scripts/fetch-textworld-express";
  return { jar: findJar({ option: jar, variable: "TEXTWORLD_EXPRESS_JAR", path, script }), java: findJava(java) };
}

/** One running TextWorldExpress simulator. */
export class TextWorldExpress {
  readonly #jvm: Jvm;

  private constructor(jvm: Jvm) {
    this.#jvm = jvm;
  }

  /** @throws ConfigError when the JAR or Java is missing @throws EnvError when the JVM does not start */
  static async start(place: TextWorldExpressPlace): Promise<TextWorldExpress> {
    const { jar, java } = findTextWorldExpress(place);
    const jvm = await Jvm.start({
      jar,
      java,
      mainClass: "textworldexpress.runtime.PythonInterface",
      port: { readyText: "Server started" },
      startMs: 60_000,
      callMs: place.callMs,
      label: LABEL,
    });
    return new TextWorldExpress(jvm);
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
    return this.#jvm.gateway.versionOf("textworldexpress.runtime");
  }

  gameNames(): Promise<string[]> {
    return this.#texts("getGameNames");
  }

  /** Seeds of a fold of the loaded game. */
  async seeds(fold: EnvSplit): Promise<number[]> {
    const method = { train: "getSeedsTrain", dev: "getSeedsDev", test: "getSeedsTest" }[fold];
    const { gateway } = this.#jvm;
    return gateway.wholeNumbers((await gateway.call("t", method)) as JavaReference);
  }

  /** Chooses a game and its parameters, such as `numLocations=3,includeDoors=0`. @throws EnvError when the simulator refuses them */
  async load(game: string, params: string): Promise<void> {
    const problem = await this.#text("load", game, params);
    if (problem !== "") throw new EnvError(`${LABEL}: game ${game} with ${JSON.stringify(params)}: ${problem.trim()}`);
  }

  /** Starts an episode of the loaded game. */
  async generate(seed: number, fold: string, goldPath: boolean): Promise<GameState> {
    const text = await this.#text("generateNewGameJSON", seed, fold, goldPath);
    return this.#parsed(GameState, text, `generateNewGameJSON(${seed}, ${fold})`);
  }

  async step(action: string): Promise<GameState> {
    return this.#parsed(GameState, await this.#text("stepJSON", action), "stepJSON");
  }

  taskDescription(): Promise<string> {
    return this.#text("getTaskDescription");
  }

  async generationProperties(): Promise<unknown> {
    return this.#parsed(z.unknown(), await this.#text("getGenerationPropertiesJSON"), "getGenerationPropertiesJSON");
  }

  /** Actions that solve the episode; it must have been generated with its gold path. */
  goldActions(): Promise<string[]> {
    return this.#texts("getGoldActionSequence");
  }

  close(): Promise<void> {
    return this.#jvm.close();
  }

  async #texts(method: string): Promise<string[]> {
    return this.#jvm.gateway.strings((await this.#jvm.gateway.call("t", method)) as JavaReference);
  }

  async #text(method: string, ...args: JavaArgument[]): Promise<string> {
    const value = await this.#jvm.gateway.call("t", method, args);
    if (typeof value === "string") return value;
    throw new EnvError(`${LABEL}: ${method} returned ${String(value)}, expected a text`);
  }

  #parsed<T>(schema: z.ZodType<T>, text: string, method: string): T {
    try {
      return schema.parse(JSON.parse(text));
    } catch (error) {
      throw new EnvError(`${LABEL}: ${method} returned ${JSON.stringify(text.slice(0, 200))}: ${messageOf(error)}`);
    }
  }
}

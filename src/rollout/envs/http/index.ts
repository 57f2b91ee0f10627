import { ConfigError, EnvError } from "../../../utils/errors.ts";
import type { EnvironmentDef } from "../types.ts";
import { openAgentGym, openOpenEnv } from "./foreign.ts";
import { HttpOptions } from "./options.ts";
import { openRlvr } from "./source.ts";

export { HttpOptions } from "./options.ts";
export type { EnvServer, ServeOptions } from "./server.ts";
export { serveSource } from "./server.ts";

/** Any environment behind HTTP: our own small protocol, OpenEnv's or AgentGym's. */
export const http: EnvironmentDef<typeof HttpOptions> = {
  name: "http",
  description: "any environment behind HTTP: our own small protocol (docs/environments.md), OpenEnv's or AgentGym's",
  options: HttpOptions,
  async open(options) {
    const open = { rlvr: openRlvr, openenv: openOpenEnv, agentgym: openAgentGym }[options.protocol];
    try {
      return await open(options);
    } catch (error) {
      if (!(error instanceof EnvError)) throw error;
      throw new ConfigError(`environment http, protocol ${options.protocol}: ${error.message}`, { cause: error });
    }
  },
};

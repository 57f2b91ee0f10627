export { findSandbox, type PythonSandbox } from "./bubblewrap.ts";
export { sandboxServer } from "./http.ts";
export { CodeOptions } from "./options.ts";
export { pythonRunner } from "./python.ts";
export { quickJsRunner } from "./quickjs.ts";
export { codeJavascript, codePython } from "./reward.ts";
export type {
  CallRun,
  CallRuns,
  CodeLanguage,
  CodeLimits,
  CodeRunner,
  FunctionCall,
  ProgramRun,
  RunStatus,
  Wire,
} from "./types.ts";

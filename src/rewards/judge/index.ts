export { JudgeOptions } from "./options.ts";
export { llmJudge } from "./reward.ts";

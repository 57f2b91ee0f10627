export { readRows } from "./load.ts";
export type { Row } from "./rows.ts";
export { answerField, fieldOf, promptField, textField } from "./rows.ts";

export { isDataFile, readRows } from "./load.ts";
export type { ColumnPreset, GoldForm, PresetName } from "./presets.ts";
export { goldAnswer, guessPreset, isEmpty, PRESET_NAMES, PRESETS } from "./presets.ts";
export { dataSource } from "./pull.ts";
export { questionKey, questionText, sameQuestion, wordsOf } from "./question-text.ts";
export type { Row } from "./rows.ts";
export { answerField, fieldOf, promptField, textField } from "./rows.ts";

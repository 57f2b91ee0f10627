export type { BytePairOptions } from "./byte-pairs.ts";
export { trainBytePairs } from "./byte-pairs.ts";
export type { ChatMessage, ChatOptions } from "./chat-template.ts";
export type { ModelConfig } from "./config.ts";
export { ARCHITECTURES, parseModelConfig, toHfConfig } from "./config.ts";
export type { DecodeExtend, DecodeStart } from "./decoder.ts";
export type { Drawn, DrawOptions } from "./drawing.ts";
export type { EngineOptions, MeasureOptions, UpdatePlan, UpdateResult } from "./engine.ts";
export { Engine } from "./engine.ts";
export { layerParameter, parameterShapes } from "./families.ts";
export { findModel } from "./find-model.ts";
export type { Policy } from "./host.ts";
export { openPolicy } from "./host.ts";
export type { HubFile, HubRepo, HubSettings } from "./hub.ts";
export { HubError, hubCache, hubRepo, hubSettings, listHubFiles } from "./hub.ts";
export { cachedModels, cachedSnapshot } from "./hub-cache.ts";
export type { HubProgress, HubPull } from "./hub-download.ts";
export { pullHubFiles } from "./hub-download.ts";
export type { InitialTokenizer } from "./initial-tokenizer.ts";
export { openInitialTokenizer } from "./initial-tokenizer.ts";
export type { InitialModel, Learner, LearnerOptions, ModelReference } from "./learner.ts";
export { openInitialModel, openLearner } from "./learner.ts";
export { LIMITS } from "./limits.ts";
export type { Adapter } from "./lora.ts";
export { ALL_LINEAR } from "./lora.ts";
export type { ModelFiles } from "./model-files.ts";
export { openModel } from "./model-files.ts";
export type { PackedLengths } from "./packing.ts";
export { oneSequence } from "./packing.ts";
export type { WeightOrigin } from "./parameters.ts";
export type { MeasuredTokens, SequenceBatch, TokenResults } from "./sequences.ts";
export type {
  BuiltLoss,
  Distribution,
  LossSource,
  OtherPolicy,
  PolicyTokens,
  TokenLoss,
} from "./token-loss.ts";
export { givenDistributions, gradientOfTerms, lossOnLogits, sumOfRows } from "./token-loss.ts";
export type { AddedToken, Tokenizer, TokenizerFiles } from "./tokenizer.ts";

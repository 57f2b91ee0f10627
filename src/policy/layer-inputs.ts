import { type Dim, dimAdd, dimMul, type Graph, type Shape, type Value } from "../graph/index.ts";
import type { BlockPlaces, CachedPast, TailPlaces } from "./attention.ts";
import type { ModelConfig } from "./config.ts";
import type { TokenPlaces } from "./layer.ts";
import type { Adapter } from "./lora.ts";
import type { PackedForm } from "./packing.ts";
import { layerInputShapes } from "./parameters.ts";

/** Inputs of packed sequences (`packing.ts`): hidden states x [N, D], where their tokens stand, and the blocks of attention. */
export function packedInputs(g: Graph, config: ModelConfig, { tails, chunks }: PackedForm) {
  const blocks = { prefix: prefixInputs(g, config, chunks), tail: tails ? tailInputs(g, config, chunks) : null };
  const rows = tails ? dimAdd("Np", "Nt") : "Np";
  const x = g.input("x", [rows, config.width]);
  return { x, blocks, places: tokenPlaces(g, config, rows) };
}

/** Rotary table and positions of n tokens. */
export function tokenPlaces(g: Graph, { headDim }: ModelConfig, n: Dim): TokenPlaces {
  const table = { cos: g.input("cos", ["M", headDim / 2]), sin: g.input("sin", ["M", headDim / 2]) };
  return { table, positions: g.input("positions", [n, 1], "int64") };
}

function prefixInputs(g: Graph, { heads, kvHeads }: ModelConfig, chunks: boolean): BlockPlaces {
  const groups = heads / kvHeads;
  return {
    querySlots: g.input(
      "prefix/querySlots",
      chunks ? ["W", "P", kvHeads, groups, "R"] : ["P", kvHeads, groups, "L"],
      "int32",
    ),
    keySlots: g.input("prefix/keySlots", ["P", kvHeads, "L"], "int32"),
    queryPlaces: g.input("prefix/queryPlaces", ["Np", heads], "int32"),
    keyPlaces: g.input("prefix/keyPlaces", ["Np", kvHeads], "int32"),
    causal: g.input("prefix/causal", [chunks ? "R" : "L", "L"]),
    ends: chunks ? g.input("prefix/ends", ["W"], "int64") : null,
  };
}

function tailInputs(g: Graph, { heads, kvHeads }: ModelConfig, chunks: boolean): TailPlaces {
  const groups = heads / kvHeads;
  return {
    querySlots: g.input(
      "tail/querySlots",
      chunks ? ["Wt", "P", kvHeads, "S", groups, "Rt"] : ["P", kvHeads, "S", groups, "C"],
      "int32",
    ),
    keySlots: g.input("tail/keySlots", ["P", kvHeads, "S", "C"], "int32"),
    queryPlaces: g.input("tail/queryPlaces", ["Nt", heads], "int32"),
    keyPlaces: g.input("tail/keyPlaces", ["Nt", kvHeads], "int32"),
    causal: g.input("tail/causal", [chunks ? "Rt" : "C", "C"]),
    ends: chunks ? g.input("tail/ends", ["Wt"], "int64") : null,
    past: g.input("tail/past", ["P", 1, 1, "L"]),
  };
}

/** Inputs of what rows have in the cache; the keys and values of a layer are declared when it is built, under its prefix. */
export function pastInputs(g: Graph, { heads, kvHeads, headDim }: ModelConfig, hasPrompts: boolean, time: Dim) {
  const mask = g.input("mask", ["B", 1, 1, "P"]);
  const shared = hasPrompts && {
    slots: g.input("prompt/slots", ["G", kvHeads, "S", heads / kvHeads, time], "int32"),
    places: g.input("prompt/places", ["B", heads, time], "int32"),
    mask: g.input("prompt/mask", ["B", 1, 1, "L"]),
  };
  const cache = (name: string, shape: Shape): CachedPast => ({
    keys: g.input(`${name}/keys`, shape),
    values: g.input(`${name}/values`, shape),
  });
  return (prefix: string) => ({
    own: { ...cache(`${prefix}past`, ["P", dimMul(kvHeads, "B"), headDim]), mask },
    prompt: shared ? { ...cache(`${prefix}prompt`, ["L", dimMul(kvHeads, "G"), headDim]), ...shared } : null,
  });
}

export function layerInputs(graph: Graph, config: ModelConfig, adapter: Adapter, prefix: string): Map<string, Value> {
  return new Map(
    [...layerInputShapes(config, adapter)].map(([suffix, shape]) => [suffix, graph.input(`${prefix}${suffix}`, shape)]),
  );
}

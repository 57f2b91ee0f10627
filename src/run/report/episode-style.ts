/** Style sheet of episodes: turns and ledgers. Provenances differ in colour, in the line under them and in their name. */
export const EPISODE_STYLE = `
.strip{display:flex;gap:1px;margin:0 0 8px;flex-wrap:wrap}.strip i{flex:1 1 10px;max-width:28px;min-width:8px;height:18px;font:11px/15px var(--mono);text-align:center;border:1px solid var(--line);border-radius:2px}
.strip .won{border-bottom:3px solid var(--good)}.strip .paid{border-bottom:3px solid var(--bad)}
.turns{list-style:none;margin:0;padding:0;max-height:620px;overflow-y:auto;background:var(--bg);border:1px solid var(--line);border-radius:8px;font-size:13px}
.turns>li{padding:7px 10px 8px}.turns>li+li{border-top:1px solid var(--line)}.turns header{gap:2px 8px;display:flex;flex-wrap:wrap;align-items:center;margin:0 0 3px}
.turns header>b{min-width:22px;font-variant-numeric:tabular-nums}.turns .facts{font-size:12px;font-variant-numeric:tabular-nums}.turns .won{color:var(--good)}.turns .paid{color:var(--bad)}
.turns dl{display:grid;grid-template-columns:54px minmax(0,1fr);gap:2px 8px;margin:0}.turns dt{color:var(--soft);font-size:12px;line-height:1.7}
.turns dd{margin:0;font:12.5px/1.6 var(--mono);white-space:pre-wrap;overflow-wrap:anywhere;max-height:9.6em;overflow-y:auto}.turns dd i{font-style:normal}
.turns .saw{color:var(--soft)}.turns .did{font-weight:600}.turns .did small,.turns .did em{font-weight:400}.turns .fault{color:var(--bad)}
.turns .cut{color:var(--soft);font-size:12px;border-left:4px double var(--accent)}.turns .end{background:var(--card)}.turns .tag{line-height:1.45}
.ledger{margin-top:8px}.list .ledger summary{padding:4px 0;font-size:13px;color:var(--soft);justify-content:flex-start}
.provenances{list-style:none;display:flex;flex-wrap:wrap;gap:4px 16px;margin:2px 0 8px;padding:0;font-size:12px;color:var(--soft)}
.p{font-style:normal;--c:var(--s5);background:color-mix(in srgb,var(--c) 16%,transparent);border-bottom:2px solid var(--c);color:var(--ink)}.ledger .text{line-height:2}
.p b{font:600 10px/1 system-ui,sans-serif;color:var(--c);margin:0 4px 0 3px;vertical-align:1px;user-select:none;white-space:nowrap}
.p.system{--c:var(--s3)}.p.user{--c:var(--s0)}.p.sampled{--c:var(--s1)}.p.environment{--c:var(--s2)}.p.tool{--c:var(--s4)}.p.template{border-bottom-style:dotted}
.p.sampled{border-bottom-width:3px}.p.history{--c:var(--s1);border-bottom-style:dashed;background:repeating-linear-gradient(135deg,color-mix(in srgb,var(--c) 22%,transparent) 0 3px,transparent 3px 8px)}
.ledger .cut{display:block;font:600 12px/1.6 system-ui,sans-serif;color:var(--accent);border-top:2px dashed var(--accent);margin-top:10px;padding-top:4px}
`;

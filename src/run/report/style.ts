/** Style sheet of the report: one accent, series colours that colour-blind readers can tell apart, light and dark. */
export const STYLE = `
:root{color-scheme:light dark;--bg:#fbfbfa;--card:#fff;--ink:#1b1f24;--soft:#5c6570;--line:#e3e5e8;--accent:#0b62c4;--good:#00724f;--bad:#b3400a;--heat:232,119,34;
--s0:#0b62c4;--s1:#c2570c;--s2:#00805f;--s3:#8a3f97;--s4:#7a6a00;--s5:#5c6570;--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
@media(prefers-color-scheme:dark){:root{--bg:#111417;--card:#191d22;--ink:#e8eaed;--soft:#9aa4af;--line:#2c323a;--accent:#6cb0ff;--good:#4cc79a;--bad:#f0935a;--heat:240,147,90;
--s0:#6cb0ff;--s1:#f0a05a;--s2:#4cc79a;--s3:#d08ee0;--s4:#d6c24a;--s5:#9aa4af}}
*{box-sizing:border-box}html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1240px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:26px;line-height:1.2;margin:0 0 4px;letter-spacing:-.01em}h2{font-size:19px;margin:48px 0 12px}h3{font-size:15px;margin:24px 0 8px}
p{margin:0 0 8px}small{color:var(--soft);font-size:13px}.sub{color:var(--soft);margin-bottom:24px;overflow-wrap:anywhere}
.hero{display:grid;grid-template-columns:1fr 1fr;gap:24px 40px;align-items:center;background:var(--card);border:1px solid var(--line);border-radius:12px;padding:24px 28px}
.label{color:var(--soft);margin:0}.figures{display:flex;align-items:baseline;gap:14px;margin:2px 0 6px;font-size:30px;line-height:1.2;font-variant-numeric:tabular-nums;white-space:nowrap}
.figures span{color:var(--soft)}.figures strong{font-size:52px;font-weight:650;letter-spacing:-.02em;color:var(--accent)}
.lead{font-size:16px;margin:0}.lead span{color:var(--soft)}.gain{font-weight:650}
.intervals{width:100%;height:auto}.intervals .axis line{stroke:var(--line)}.intervals text{font-size:12px;fill:var(--soft)}
.intervals g line{stroke-width:1}.before line{stroke:var(--soft);stroke-width:3!important;stroke-linecap:round}.before circle{fill:var(--soft)}
.after line{stroke:var(--accent);stroke-width:3!important;stroke-linecap:round}.after circle{fill:var(--accent)}.intervals .after text{fill:var(--ink)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:16px 0 0}
.cards div{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px}
.cards dt{color:var(--soft);font-size:13px}.cards dd{margin:0;font-size:17px;font-weight:600;white-space:nowrap;font-variant-numeric:tabular-nums}.cards small{display:block;white-space:normal;font-weight:400;font-size:12px;line-height:1.35}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(340px,100%),1fr));gap:16px}
.chart{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 14px 8px;display:flex;flex-direction:column;min-width:0}
.chart figcaption b{display:block}.chart figcaption small{display:block;line-height:1.35;font-size:12px;min-height:2.7em}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 12px;margin:4px 0 0;padding:0;font-size:12px;color:var(--soft)}.legend svg{margin-right:5px;vertical-align:2px}
.plot{position:relative;margin-top:auto;padding-top:6px}.plot svg{width:100%;height:auto;display:block;touch-action:pan-y}
.plot output{position:absolute;top:0;pointer-events:none;background:var(--ink);color:var(--bg);border-radius:6px;padding:4px 8px;font-size:12px;line-height:1.4;white-space:pre;font-variant-numeric:tabular-nums;z-index:2}
.axis line{stroke:var(--line)}.axis text{font-size:11.5px;fill:var(--soft);font-variant-numeric:tabular-nums}
.line,.raw,.whisker{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.raw{stroke-width:1;opacity:.3}.whisker{opacity:.6}.band{opacity:.14;stroke:none}
.c0{stroke:var(--s0)}.c1{stroke:var(--s1)}.c2{stroke:var(--s2)}.c3{stroke:var(--s3)}.c4{stroke:var(--s4)}.c5{stroke:var(--s5)}
.band.c0,circle.c0{fill:var(--s0)}.band.c1,circle.c1{fill:var(--s1)}.band.c2,circle.c2{fill:var(--s2)}.band.c3,circle.c3{fill:var(--s3)}.band.c4,circle.c4{fill:var(--s4)}.band.c5,circle.c5{fill:var(--s5)}
.cursor line{stroke:var(--soft);stroke-dasharray:2 3}
details.numbers{font-size:12px;color:var(--soft);margin-top:2px}summary{cursor:pointer}summary:focus-visible,button:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}td,th{padding:3px 12px 3px 0;text-align:right;font-weight:400;white-space:nowrap}
th[scope=row],th:first-child{text-align:left}.runs,.plain{width:100%}.runs td,.runs th{padding:8px 16px 8px 0;border-bottom:1px solid var(--line);vertical-align:top}.runs th small,.runs td small{display:block}
.said{width:100%}.said th,.said td{text-align:left;padding:6px 20px 6px 0;border-bottom:1px solid var(--line);vertical-align:top}.said td.wide{white-space:normal}.list .hint{margin:0;padding:2px 14px 6px}.said thead th{color:var(--soft);font-size:13px}
.plain th{color:var(--soft);padding-right:20px}.plain td{text-align:left;white-space:normal;overflow-wrap:anywhere}
.filters{display:flex;flex-wrap:wrap;gap:8px;margin:8px 0 12px}button{font:inherit;font-size:13px;color:var(--ink);background:var(--card);border:1px solid var(--line);border-radius:99px;padding:4px 12px;cursor:pointer}
button[aria-pressed=true]{background:var(--accent);border-color:var(--accent);color:var(--bg)}button b{font-weight:500;opacity:.7}
.list{border:1px solid var(--line);border-radius:10px;background:var(--card);overflow:hidden}.list>details+details{border-top:1px solid var(--line)}
.list summary{display:flex;gap:12px;align-items:center;padding:9px 14px;list-style:none}.list summary::-webkit-details-marker{display:none}
.list summary::before{content:"";border:4px solid transparent;border-left:6px solid var(--soft);margin-right:-4px;flex:none}details[open]>summary::before{transform:rotate(90deg)}
.list code{font:13px var(--mono);flex:1;min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.tag{font-size:12px;color:var(--soft);border:1px solid var(--line);border-radius:99px;padding:0 9px;white-space:nowrap}.tag.correct,.tag.learned{color:var(--good);border-color:currentColor}.tag.wrong,.tag.lost,.tag.error,.tag.timeout,.tag.unparseable{color:var(--bad);border-color:currentColor}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(420px,100%),1fr));gap:16px}.list .two{padding:4px 14px 14px}.two>*{min-width:0}
article header{display:flex;flex-wrap:wrap;gap:4px 10px;align-items:center;margin-bottom:4px}
.text{font:13px/1.7 var(--mono);white-space:pre-wrap;overflow-wrap:anywhere;background:var(--bg);border:1px solid var(--line);border-radius:8px;padding:8px 10px;margin:0;max-height:320px;overflow-y:auto}
.text i,.ramp i{font-style:normal}.ramp i{padding:0 7px;font-size:12px}.ramp{border:1px solid var(--line);border-radius:6px;overflow:hidden;display:inline-flex;vertical-align:middle;margin-left:6px}.key,.hint{color:var(--soft);font-size:13px}
${Array.from({ length: 9 }, (_, i) => `.e${i + 1}{background:rgba(var(--heat),${(0.1 + 0.075 * i).toFixed(2)})}`).join("")}
.reasons{list-style:none;margin:6px 0 0;padding:0;font-size:13px;color:var(--soft);overflow-wrap:anywhere}.reasons b{font-weight:500;color:var(--ink)}
pre{font:12.5px/1.55 var(--mono);background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px;overflow:auto;max-height:460px;margin:0}pre.wrap{white-space:pre-wrap;overflow-wrap:anywhere}
footer{margin-top:48px;color:var(--soft);font-size:13px}[hidden]{display:none!important}
@media(max-width:720px){main{padding:20px 14px 48px}h1{font-size:22px}h2{margin-top:36px}.hero{grid-template-columns:1fr;padding:18px 16px}.figures{font-size:24px}.figures strong{font-size:42px}
.cards{grid-template-columns:1fr 1fr}.list summary{flex-wrap:wrap}.list code{flex-basis:70%}.intervals text{font-size:14px}.chart figcaption small{min-height:0}}
@media print{button,.filters{display:none}.chart,.hero{break-inside:avoid}}
`;

/**
 * The style sheet of report.html. The colours of the losses are apart for colour-blind eyes (Okabe and Ito).
 */
export const STYLE = `
:root { color-scheme: light dark; --paper: #fff; --text: #1b1f24; --faint: #5b6570; --rule: #dfe3e8; --card: #f7f8fa;
  --cross-entropy: #d55e00; --smooth-topk: #0072b2; --topk: #3f9b6f; --n0: #0b3c5d; --n1: #1f78a4; --n2: #5ba8c9; --n3: #e0a030; --n4: #d9702c; --n5: #b3282d; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --text: #e6e9ed; --faint: #9aa5b1; --rule: #2f353c; --card: #1b1f25;
  --cross-entropy: #f08a3c; --smooth-topk: #56b4e9; --topk: #63c798; --n0: #8fc7e8; --n1: #5ba8d6; --n2: #3f8fb0; --n3: #e8b04a; --n4: #ec8a4c; --n5: #e3595d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--text); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .3rem; }
h3 { font-size: .95rem; margin: 1rem 0 .2rem; color: var(--faint); font-weight: 600; }
p, li { max-width: 78ch; }
.lead, .caption { color: var(--faint); }
.caption { font-size: .9rem; margin: .2rem 0 .8rem; }
.note { border-left: 3px solid var(--cross-entropy); padding-left: .7rem; }
.verdict { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: .8rem 1rem .8rem 2rem; }
.legend { list-style: none; display: flex; gap: 1.4rem; flex-wrap: wrap; padding: .4rem 0; margin: 1rem 0 0; position: sticky; top: 0; background: var(--paper); z-index: 1; font-weight: 600; }
.legend.inline { position: static; font-weight: 400; margin: 0; font-size: .9rem; }
.swatch { display: inline-block; width: 22px; height: 4px; border-radius: 2px; background: var(--ink); margin-right: .5rem; vertical-align: middle; }
.cross-entropy { --ink: var(--cross-entropy); } .smooth-topk { --ink: var(--smooth-topk); } .topk { --ink: var(--topk); }
.n0 { --ink: var(--n0); } .n1 { --ink: var(--n1); } .n2 { --ink: var(--n2); } .n3 { --ink: var(--n3); } .n4 { --ink: var(--n4); } .n5 { --ink: var(--n5); }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr)); gap: 8px 20px; }
svg { width: 100%; height: auto; display: block; max-width: 520px; }
svg text { fill: var(--text); font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
svg .title { font-weight: 600; font-size: 13px; } svg .tick, svg .label { fill: var(--faint); font-size: 11px; }
svg .grid { stroke: var(--rule); } svg .axis { stroke: var(--faint); }
svg .line { fill: none; stroke: var(--ink); stroke-width: 2; stroke-linejoin: round; }
svg .bar { fill: none; stroke: var(--ink); stroke-width: 1.2; opacity: .8; }
svg .mark { fill: var(--ink); stroke: var(--paper); stroke-width: 1; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th { color: var(--faint); font-weight: 600; } th:nth-child(3), td:nth-child(3), td.text, th.text { text-align: left; }
tr.first td { border-top: 2px solid var(--rule); }
td.best { font-weight: 700; }
code { font-size: .88em; }
@media print { .legend { position: static; } }
`;

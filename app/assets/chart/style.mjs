// How the chart looks. A sheet of the shadow root's own: sent once, not with every message of Streamlit's.

const RULES = `
.tvchart { display: flex; flex-direction: column; box-sizing: border-box; width: 100%; height: var(--chart-height, 560px);
  font: 12px/1.45 var(--st-font); color: var(--st-text-color); background: var(--st-background-color);
  font-variant-numeric: tabular-nums; word-break: keep-all; }
.tvchart [hidden] { display: none !important; }
.tvchart.full { position: fixed; inset: 0; z-index: 1000000; }
.tvchart:fullscreen, .tvchart.full { height: 100%; padding: .4rem .6rem .3rem; }
.tvchart button { font: inherit; color: inherit; background: transparent; border: 1px solid transparent;
  border-radius: 5px; cursor: pointer; }
.tvchart :is(button, .stage, .table, a):focus-visible {
  outline: 2px solid var(--st-primary-color); outline-offset: -2px; }
.tvchart .bar { position: relative; display: flex; align-items: center; gap: .3rem; flex: none; height: 36px; }
.tvchart .symbol { font-size: 14px; font-weight: 700; padding-right: .4rem; white-space: nowrap; }
.tvchart .steps { display: flex; gap: 1px; overflow-x: auto; scrollbar-width: none; }
.tvchart .steps button { flex: none; min-width: 36px; height: 30px; padding: 0 .5rem; opacity: .72; }
.tvchart .steps button[aria-pressed=true] { opacity: 1; font-weight: 700; color: var(--st-primary-color);
  background: color-mix(in srgb, var(--st-primary-color) 9%, transparent); }
.tvchart .bar button:hover { opacity: 1; background: color-mix(in srgb, currentColor 9%, transparent); }
.tvchart .gap { flex: 1; }
.tvchart .tool { display: inline-flex; align-items: center; gap: .35rem; height: 30px; padding: 0 .5rem; flex: none; }
.tvchart .tool[aria-pressed=true] { color: var(--st-primary-color); }
.tvchart .bar svg { width: 17px; height: 17px; fill: none; stroke: currentColor; stroke-width: 1.7; stroke-linecap: round;
  stroke-linejoin: round; }
.tvchart .pick { position: relative; flex: none; }
.tvchart .menu { position: absolute; right: 0; top: 34px; z-index: 20; display: grid; min-width: 190px; padding: .3rem;
  background: var(--st-background-color); border: 1px solid var(--st-border-color); border-radius: 8px;
  box-shadow: 0 8px 28px rgb(0 0 0 / .28); }
.tvchart .menu button { display: flex; align-items: center; gap: .55rem; min-height: 34px; padding: 0 .6rem;
  text-align: left; }
.tvchart .menu button::before { content: ""; width: 14px; height: 14px; border: 1.5px solid currentColor;
  border-radius: 4px; opacity: .55; box-sizing: border-box; }
.tvchart .menu button[aria-checked=true]::before { opacity: 1; border-color: var(--st-primary-color);
  background: linear-gradient(var(--st-primary-color) 0 0) center / 8px 8px no-repeat; }
.tvchart .stage { position: relative; flex: 1; min-height: 0; overflow: hidden; border-radius: 4px; }
.tvchart .stage > .tv-lightweight-charts { position: absolute !important; inset: 0; }
.tvchart-legend { position: absolute; left: 8px; top: 4px; z-index: 3; pointer-events: none; font-size: 11px;
  max-width: calc(100% - 90px); }
.tvchart-legend div { display: flex; flex-wrap: wrap; gap: 0 .65em; }
.tvchart .zone { position: absolute; right: 8px; bottom: 5px; z-index: 3; font-size: 10px; opacity: .6;
  pointer-events: none; }
.tvchart .now { position: absolute; right: 86px; bottom: 40px; z-index: 4; width: 34px; height: 34px; font-size: 17px;
  line-height: 1; border-color: var(--st-border-color); border-radius: 50%; background: var(--st-background-color);
  box-shadow: 0 2px 10px rgb(0 0 0 / .25); }
.tvchart .pill { position: absolute; left: 50%; bottom: 40px; z-index: 4; transform: translateX(-50%); padding: .3rem .8rem;
  border: 1px solid var(--st-border-color); border-radius: 999px; background: var(--st-background-color);
  white-space: nowrap; }
.tvchart .pill button, .tvchart .veil button { padding: .2rem .7rem; color: var(--st-primary-color); font-weight: 600;
  border-color: var(--st-border-color); }
.tvchart .veil { position: absolute; inset: 0; z-index: 5; display: grid; place-content: center; justify-items: center;
  gap: .6rem; background: var(--st-background-color); }
.tvchart .veil p { margin: 0; opacity: .75; font-size: 13px; }
.tvchart .bones { display: flex; align-items: end; gap: 7px; height: 84px; }
.tvchart .bones i { width: 9px; height: 40%; border-radius: 2px; background: currentColor; opacity: .14;
  animation: breathe 1.3s ease-in-out infinite alternate; }
.tvchart .bones i:nth-child(3n) { height: 75%; animation-delay: .25s; }
.tvchart .bones i:nth-child(4n+1) { height: 58%; animation-delay: .5s; }
@keyframes breathe { to { opacity: .34; } }
@media (prefers-reduced-motion: reduce) { .tvchart .bones i { animation: none; } }
.tvchart .tip { position: absolute; z-index: 6; max-width: min(300px, 78%); padding: .5rem .7rem; pointer-events: none;
  background: var(--st-background-color); border: 1px solid; border-radius: 7px; box-shadow: 0 6px 22px rgb(0 0 0 / .3); }
.tvchart .tip p { margin: 0; overflow-wrap: anywhere; }
.tvchart .tip div + div { margin-top: .45rem; padding-top: .45rem; border-top: 1px solid var(--st-border-color); }
.tvchart .tip time { float: right; margin-left: .9em; opacity: .65; }
.tvchart .tip .why { opacity: .8; }
.tvchart .tip small { display: block; margin-top: .4rem; opacity: .6; font-size: 11px; }
.tvchart .table { position: absolute; inset: 0; z-index: 7; overflow: auto; padding: .2rem .6rem 1rem;
  background: var(--st-background-color); }
.tvchart .table table { width: 100%; border-collapse: collapse; margin-top: .6rem; }
.tvchart .table caption { text-align: left; font-weight: 600; padding: .2rem 0; }
.tvchart .table :is(th, td) { padding: .22rem .5rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid color-mix(in srgb, currentColor 12%, transparent); }
.tvchart .table :is(th, td):first-child { text-align: left; padding-left: 0; }
.tvchart .table th { font-weight: 500; opacity: .7; }
.tvchart .table td a { color: inherit; }
@media (max-width: 640px) {
  .tvchart .tool span { display: none; }
  .tvchart .symbol { font-size: 13px; padding-right: .1rem; }
  .tvchart .steps button { min-width: 34px; padding: 0 .4rem; }
  .tvchart .now { right: 76px; } }
`;

const sheet = new CSSStyleSheet();
sheet.replaceSync(RULES);

/** Have the rules apply where *element* stands. */
export function dress(element) {
  const home = element.getRootNode();
  if (!home.adoptedStyleSheets.includes(sheet)) home.adoptedStyleSheets = [...home.adoptedStyleSheets, sheet];
}

"""
The look of the live parts, each in a shadow of its own: the bar, the tiles, the badges, the position, the switches.

Colours are the theme's; up and down are the person's (`--rise`, `--fall`, set by the page).
"""

_BASE = """
:host { font-family: var(--st-font); color: var(--st-text-color); }
* { box-sizing: border-box; word-break: keep-all; overflow-wrap: anywhere; }
[hidden] { display: none !important; }
b { font-weight: 600; }
small { font-size: 12px; opacity: .72; }
button { font: 600 13px/1.2 var(--st-font); color: var(--st-text-color); cursor: pointer; border-radius: 6px;
  border: 1px solid var(--st-border-color); background: var(--st-background-color); padding: 0 .8rem; min-height: 36px;
  touch-action: manipulation; }
button:focus-visible, input:focus-visible, a:focus-visible {
  outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
button:disabled { opacity: .45; cursor: not-allowed; }
@media (hover: hover) { button:hover:not(:disabled) { border-color: var(--st-primary-color); } }
.icon { font: normal 18px/1 "Material Symbols Rounded"; font-style: normal; letter-spacing: 0; text-transform: none;
  white-space: nowrap; direction: ltr; -webkit-font-smoothing: antialiased; }
.up { color: var(--rise); } .down { color: var(--fall); }
.ask { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: center; justify-content: flex-end;
  padding: .6rem .8rem; border: 1px solid var(--st-red-color); border-radius: 6px;
  background: color-mix(in srgb, var(--st-red-color) 9%, var(--st-background-color)); }
.ask p { margin: 0; flex: 1 1 16rem; font-size: 13px; line-height: 1.5; }
.ask .acts { display: flex; gap: .5rem; }
.yes { background: #cf304a; border-color: #cf304a; color: #fff; }
@media (max-width: 768px) {
  button { min-height: 44px; }
  .ask .acts { flex: 1 1 100%; } .ask .acts button { flex: 1; } }
"""

BAR = (
    _BASE
    + """
.bar { position: relative; display: grid; gap: .4rem; font-variant-numeric: tabular-nums;
  padding: .35rem 0; }
.row { display: flex; align-items: center; gap: .4rem 1.4rem; min-height: 40px; }
.bar > .ask { position: absolute; top: calc(100% + .2rem); left: 0; right: 0; z-index: 2;
  box-shadow: 0 8px 24px rgb(0 0 0 / .3); }
.who { display: flex; align-items: center; gap: .3rem 1.2rem; min-width: 0; }
.state { display: inline-flex; align-items: center; gap: .5rem; font-size: 14px; white-space: nowrap;
  padding: .32rem .7rem; border-radius: 999px; --tone: var(--st-gray-color, #8a93a0);
  background: color-mix(in srgb, var(--tone) 16%, transparent); }
.state .dot { width: 8px; height: 8px; border-radius: 50%; background: var(--tone); }
.state.on { --tone: var(--st-green-color); } .state.locked, .state.stopping { --tone: #f0a30b; }
.state.stopped { --tone: #3b82f0; }
.state.pending .dot, .state.stopping .dot { animation: beat 1s ease-in-out infinite alternate; }
@keyframes beat { to { opacity: .25; } }
@media (prefers-reduced-motion: reduce) { .state .dot { animation: none !important; } }
.quote { display: inline-flex; align-items: baseline; gap: .5rem; white-space: nowrap; }
.symbol { font-size: 12px; opacity: .65; }
.price { font-size: 17px; letter-spacing: -.01em; }
.change { font-style: normal; font-size: 13px; }
.pnl { display: inline-flex; align-items: baseline; gap: .5rem; white-space: nowrap; font-size: 15px; }
.pnl .won:empty { display: none; }
.dead { display: inline-flex; align-items: center; gap: .35rem; font-size: 12px; font-weight: 600;
  color: light-dark(#9a6200, #d98e00);
  white-space: nowrap; }
.bar.stale .price, .bar.stale .pnl b { opacity: .5; }
.row > .acts { margin-left: auto; display: flex; gap: .5rem; }
.row > .acts button { display: inline-flex; align-items: center; gap: .4rem; }
.row > .acts .short { display: none; }
.row > .acts .close { border-color: color-mix(in srgb, var(--st-red-color) 55%, transparent);
  color: var(--st-red-color); }
.row > .acts .resume { border-color: var(--st-green-color); color: var(--st-green-color); }
.why { margin: 0; font-size: 12.5px; line-height: 1.45; opacity: .82; flex: 1 1 0; min-width: 0; overflow: hidden;
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; } .why:empty { display: none; }
.note { position: absolute; top: calc(100% + .3rem); right: 0; margin: 0; padding: .6rem .9rem; font-size: 13px;
  font-weight: 600; line-height: 1.45; max-width: min(36rem, 100%); border-radius: 6px; color: var(--st-text-color);
  background: var(--st-secondary-background-color); border: 1px solid var(--tone, transparent);
  box-shadow: 0 6px 20px rgb(0 0 0 / .28); }
.note:empty { display: none; }
.note.refused { --tone: var(--st-red-color); } .note.done { --tone: var(--st-green-color); }
@media (max-width: 1100px) {
  .row { flex-wrap: wrap; gap: .4rem .9rem; } .why { order: 9; flex: 1 1 100%; -webkit-line-clamp: none; }
  .pnl .share, .pnl .label { display: none; } }
@media (max-width: 768px) {
  .bar { padding: .4rem 0; } .row { column-gap: .5rem; }
  /* the longest state takes a second line rather than the buttons' place */
  .who { flex-direction: column; align-items: flex-start; flex: 1 1 0; }
  .state { padding: .18rem .55rem; font-size: 13px; white-space: normal; } .state b { line-height: 1.25; }
  .state .dot { flex: none; }
  .symbol { display: none; }
  .several .symbol { display: inline; } .several .change { display: none; }
  .price { font-size: 16px; }
  .pnl { flex-direction: column; align-items: flex-end; gap: 0; font-size: 14px; }
  .pnl .label { display: block; font-size: 11px; } .pnl :is(.share, .won) { display: none; }
  .dead span { display: none; }
  .row > .acts { gap: .35rem; }
  .row > .acts button { flex-direction: column; justify-content: center; gap: .1rem; min-width: 52px; min-height: 48px;
    padding: 0 .3rem; font-size: 11px; }
  .row > .acts .long { display: none; } .row > .acts .short { display: block; white-space: nowrap; } }
"""
)

BELL = (
    _BASE
    + """
.bell { width: 40px; height: 40px; }
.bell a { position: relative; display: grid; place-items: center; width: 40px; height: 40px; border-radius: 6px;
  color: var(--st-text-color); text-decoration: none; }
.bell .icon { font-size: 22px; }
.bell .count { position: absolute; top: 2px; left: 21px; min-width: 17px; padding: 0 4px; border-radius: 999px;
  font: 700 11px/17px var(--st-font); text-align: center; color: #fff; background: #cf304a;
  font-variant-numeric: tabular-nums; white-space: nowrap; }
@media (hover: hover) { .bell a:hover { background: color-mix(in srgb, var(--st-text-color) 9%, transparent); } }
@media (max-width: 768px) { .bell, .bell a { width: 44px; height: 44px; } .bell .count { top: 3px; left: 23px; } }
"""
)

TILES = (
    _BASE
    + """
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: .6rem;
  font-variant-numeric: tabular-nums; }
.tile { position: relative; overflow: hidden; min-height: 84px; padding: .6rem .85rem .55rem;
  border: 1px solid var(--st-border-color); border-radius: 6px; }
.tile .label { font-size: .8rem; opacity: .7; }
.tile .value { font-size: 1.35rem; font-weight: 600; line-height: 1.45; letter-spacing: -.01em; position: relative; }
.tile .note { font-size: .78rem; min-height: 1.2em; position: relative; }
.tile .won { font-size: .78rem; min-height: 1.55em; opacity: .75; position: relative; white-space: nowrap; }
.tile .won[hidden] { display: none; }
svg { position: absolute; right: 0; bottom: 0; width: 52%; height: 62%; color: #8a93a0; pointer-events: none; }
svg .fill { fill: currentColor; fill-opacity: .14; }
svg .line { fill: none; stroke: currentColor; stroke-width: 1.4; }
@media (max-width: 768px) { .tiles { grid-template-columns: repeat(3, 1fr); gap: .4rem; }
  .tile { min-height: 67px; padding: .45rem .55rem; }
  .tile .label { font-size: 11px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
  .tile .value { font-size: 1rem; } .tile .won { font-size: 11px; }
  .tile .note { font-size: 11px; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; } svg { opacity: .2; height: 38%; } }
"""
)

TRUTH = (
    _BASE
    + """
.truth { display: flex; flex-wrap: wrap; gap: .35rem .5rem; }
.badges { display: flex; flex-wrap: wrap; gap: .35rem .5rem; }
.badge { display: inline-flex; align-items: center; gap: .3rem; font-size: 12.5px; line-height: 1.5;
  white-space: nowrap; padding: .12rem .5rem; border-radius: 6px; border: 0; min-height: 0; font-weight: 400;
  --tone: light-dark(#656d79, #8a93a0);
  background: color-mix(in srgb, var(--tone) 15%, transparent);
  color: color-mix(in srgb, var(--tone) 82%, var(--st-text-color)); }
.badge .icon { font-size: 15px; }
.green { --tone: var(--st-green-color); } .red { --tone: var(--st-red-color); }
.orange { --tone: light-dark(#9a6200, #d98e00); } .blue { --tone: light-dark(#2a67cc, #3b82f0); }
.all { display: none; }
@media (max-width: 768px) {
  .truth { align-items: center; gap: .3rem; flex-wrap: nowrap; }
  /* one line, the worst first, all of them behind the sign: a badge that turns red moves nothing below it */
  .badges { gap: .3rem; flex-wrap: nowrap; overflow: hidden; min-width: 0; } .badges .red { order: -1; }
  .truth.open, .open .badges { flex-wrap: wrap; }
  .badge { font-size: 11.5px; padding: .12rem .42rem; min-height: 22px; }
  .badges .badge { display: none; } .badges .badge.orange, .badges .badge.red, .open .badges .badge { display: flex; }
  .badge .icon { display: none; } .all .icon { display: block; }
  .badge.all { display: inline-flex; position: relative; }
  .all::before { content: ""; position: absolute; inset: -11px -7px; } }
@media (max-width: 430px) { .badge.all span { display: none; } }
"""
)

POSITION = (
    _BASE
    + """
.position { border: 1px solid var(--st-border-color); border-radius: 6px; padding: .7rem .9rem;
  font-variant-numeric: tabular-nums; }
.flat { margin: 0; font-size: 13px; opacity: .7; }
.body { display: grid; gap: .7rem; }
.head { display: flex; flex-wrap: wrap; align-items: center; gap: .4rem .8rem; }
.side { font-size: 13px; padding: .14rem .55rem; border-radius: 5px;
  background: color-mix(in srgb, currentColor 14%, transparent); }
.size { font-size: 14px; }
.head .pnl { display: inline-flex; align-items: baseline; gap: .5rem; font-size: 17px; margin-left: auto; }
.head .pnl small { opacity: 1; font-size: 13px; }
.close { border-color: color-mix(in srgb, var(--st-red-color) 55%, transparent); color: var(--st-red-color); }
dl { margin: 0; display: grid; grid-template-columns: repeat(auto-fit, minmax(112px, 1fr)); gap: .6rem .9rem; }
dl div { min-width: 0; }
dt { font-size: 12px; opacity: .65; white-space: nowrap; } dd { margin: 0; font-size: 14px; display: grid; }
dd small { min-height: 1.2em; font-size: 11.5px; }
.why { display: flex; flex-wrap: wrap; align-items: baseline; gap: .2rem .6rem; padding-top: .6rem;
  border-top: 1px solid var(--st-border-color); font-size: 13px; }
.others { display: flex; flex-wrap: wrap; gap: .4rem; margin-top: .6rem; }
.others button { display: inline-flex; gap: .5rem; align-items: center; font-weight: 500; }
.others button b { font-size: 12.5px; }
.unclosed { margin: 0; font-size: 13px; line-height: 1.5; color: var(--st-red-color); }
.unclosed:empty { display: none; }
.thesis { margin: 0; flex: 1 1 20rem; line-height: 1.5; }
.more { color: var(--st-link-color, var(--st-primary-color)); white-space: nowrap; font-size: 13px; }
@media (max-width: 768px) {
  .head .pnl { order: 4; margin-left: 0; flex: 1 1 100%; }
  .head .close { order: 3; margin-left: auto; padding: 0 .6rem; white-space: nowrap; }
  dl { grid-template-columns: repeat(auto-fit, minmax(92px, 1fr)); }
  .more { padding: .7rem 0; } }
"""
)

SWITCHES = (
    _BASE
    + """
.switches { display: grid; gap: .55rem; font-size: 14px; }
.auto { display: flex; justify-content: space-between; align-items: center; gap: 1rem; }
.auto span { display: grid; gap: .15rem; } .auto small, .switches > small { line-height: 1.45; }
.switch { flex: none; width: 46px; min-height: 26px; height: 26px; padding: 0; border-radius: 999px; position: relative;
  background: color-mix(in srgb, var(--st-text-color) 22%, transparent); border-color: transparent; }
.switch::before { content: ""; position: absolute; inset: -10px; }
.switch i { position: absolute; top: 2px; left: 2px; width: 20px; height: 20px; border-radius: 50%; background: #fff;
  transition: transform .12s ease-out; box-shadow: 0 1px 3px rgb(0 0 0 / .35); }
.switch[aria-checked=true] { background: var(--st-green-color); }
.switch[aria-checked=true] i { transform: translateX(20px); }
.name { font-size: 13px; opacity: .8; margin-top: .35rem; } .split { display: flex; justify-content: space-between; }
output { font-weight: 600; font-variant-numeric: tabular-nums; }
.levels { display: grid; grid-auto-columns: 1fr; grid-auto-flow: column; }
.levels button { border-radius: 0; margin-left: -1px; font-weight: 500; }
.levels button:first-child { border-radius: 6px 0 0 6px; margin-left: 0; }
.levels button:last-child { border-radius: 0 6px 6px 0; }
.levels button[aria-checked=true] { border-color: var(--st-primary-color); z-index: 1; position: relative;
  color: color-mix(in srgb, var(--st-primary-color) 80%, var(--st-text-color)); font-weight: 600;
  background: color-mix(in srgb, var(--st-primary-color) 14%, transparent); }
input[type=range] { -webkit-appearance: none; appearance: none; width: 100%; height: 28px; margin: 0; background: none;
  cursor: pointer; touch-action: pan-y; --track: linear-gradient(to right, var(--st-primary-color) var(--share, 0%),
  color-mix(in srgb, var(--st-text-color) 20%, transparent) var(--share, 0%)); }
input[type=range]::-webkit-slider-runnable-track { height: 4px; border-radius: 2px; background: var(--track); }
input[type=range]::-moz-range-track { height: 4px; border-radius: 2px; background: var(--track); }
input[type=range]::-webkit-slider-thumb { -webkit-appearance: none; width: 18px; height: 18px; margin-top: -7px;
  border-radius: 50%; background: var(--st-primary-color); border: 2px solid var(--st-background-color); }
input[type=range]::-moz-range-thumb { width: 16px; height: 16px; border-radius: 50%; border: 2px solid
  var(--st-background-color); background: var(--st-primary-color); }
input[type=range]:disabled { opacity: .45; cursor: not-allowed; }
.switches > small:empty { display: none; }
@media (max-width: 768px) { input[type=range] { height: 44px; } }
"""
)

"""The look of the comparison: cards, intervals around 0, the reliability picture. Rules for markup of ours alone."""

COMPARE = """
<style>
.cmp { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 430px), 1fr)); gap: .9rem;
  font-variant-numeric: tabular-nums; margin-bottom: 1rem; align-items: start; }
.cmp section { border: 1px solid color-mix(in srgb, currentColor 14%, transparent); border-radius: 10px;
  padding: .85rem 1rem 1rem; min-width: 0; }
.cmp header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .1rem .6rem; }
.cmp header b { font-weight: 600; font-size: 1rem; overflow-wrap: anywhere; }
.cmp header em { font-style: normal; font-size: .72rem; padding: .06rem .45rem; border-radius: 9px;
  color: light-dark(#8a6400, #f0b90b); background: color-mix(in srgb, #f0b90b 16%, transparent); white-space: nowrap; }
.cmp header span { font-size: .8rem; opacity: .7; margin-left: auto; overflow-wrap: anywhere; }
.cmp .verdict { --tint: color-mix(in srgb, currentColor 45%, transparent); margin: .6rem 0 .5rem !important;
  padding: .5rem .7rem !important; border-left: 3px solid var(--tint); border-radius: 0 6px 6px 0; font-size: .95rem;
  line-height: 1.45; font-weight: 500; background: color-mix(in srgb, var(--tint) 9%, transparent); }
.cmp .verdict.up { --tint: var(--rise); }
.cmp .verdict.down { --tint: var(--fall); }
.cmp .memory { --tint: color-mix(in srgb, currentColor 60%, transparent); margin: 0 0 .5rem !important;
  font-size: .82rem; line-height: 1.5; overflow-wrap: anywhere; }
.cmp .memory b { font-weight: 600; font-size: .72rem; padding: .06rem .45rem; border-radius: 9px; margin-right: .2rem;
  white-space: nowrap; color: var(--tint); background: color-mix(in srgb, var(--tint) 14%, transparent); }
.cmp .memory.green { --tint: light-dark(#1a7f37, #4ac26b); }
.cmp .memory.orange { --tint: light-dark(#a85b00, #f0a13b); }
.cmp dl { margin: 0 !important; padding: 0 !important; }
.cmp dl div { display: flex; justify-content: space-between; gap: .8rem; padding: .24rem 0; font-size: .84rem; }
.cmp :is(dt, dd) { margin: 0 !important; padding: 0; }
.cmp dt { opacity: .7; font-weight: 400; flex: none; }
.cmp dd { font-weight: 600; text-align: right; }
.cmp h4 { font-size: .84rem; font-weight: 600; margin: .9rem 0 .15rem; padding: 0; }
.cmp .axis { display: flex; justify-content: space-between; font-size: .7rem; opacity: .55;
  margin: .1rem 8.2rem .1rem 10.2rem; }
.cmp .strip { --tint: color-mix(in srgb, currentColor 55%, transparent); display: grid; align-items: center;
  grid-template-columns: 9.6rem 1fr 7.6rem; gap: 0 .6rem; padding: .28rem 0; font-size: .82rem; }
.cmp .strip.up { --tint: var(--rise); }
.cmp .strip.down { --tint: var(--fall); }
.cmp .strip > span, .cmp .strip > em { line-height: 1.3; }
.cmp .strip small { display: block; font-size: .72rem; opacity: .65; font-weight: 400; }
.cmp .strip em { font-style: normal; font-weight: 600; text-align: right; white-space: nowrap; }
.cmp .strip i { position: relative; height: 22px; }
.cmp .strip s { position: absolute; left: 50%; top: 0; bottom: 0; width: 1px;
  background: color-mix(in srgb, currentColor 35%, transparent); }
.cmp .strip u { position: absolute; top: 8px; height: 6px; border-radius: 3px;
  background: color-mix(in srgb, var(--tint) 42%, transparent); }
.cmp .strip i b { position: absolute; top: 5px; width: 12px; height: 12px; margin-left: -6px; border-radius: 50%;
  box-sizing: border-box; background: var(--tint); border: 2px solid var(--st-background-color, Canvas); }
.cmp .needs { display: grid; gap: .45rem; margin-top: .6rem; font-size: .82rem; }
.cmp .needs div { display: grid; grid-template-columns: 1fr auto; gap: .2rem .6rem; }
.cmp .needs span { opacity: .7; }
.cmp .needs b { font-weight: 600; }
.cmp .needs i { grid-column: 1 / 3; height: 6px; border-radius: 3px; overflow: hidden;
  background: color-mix(in srgb, currentColor 10%, transparent); }
.cmp .needs u { display: block; height: 100%; border-radius: 3px; background: light-dark(#a87900, #f0b90b); }
.cmp .sure { display: grid; grid-template-columns: minmax(130px, 180px) 1fr; gap: .9rem; align-items: start;
  margin-top: .35rem; }
.cmp .sure p { margin: 0 0 .45rem !important; font-size: .82rem; line-height: 1.5; }
.cmp figure { margin: 0; }
.cmp figure div { position: relative; aspect-ratio: 1; border-radius: 4px; overflow: hidden;
  border: 1px solid color-mix(in srgb, currentColor 22%, transparent);
  background: linear-gradient(to bottom right, transparent calc(50% - .6px),
    color-mix(in srgb, currentColor 40%, transparent) calc(50% - .6px) calc(50% + .6px),
    transparent calc(50% + .6px)); }
.cmp figure i { position: absolute; width: 2px; margin-left: -1px; opacity: .5;
  background: light-dark(#a87900, #f0b90b); }
.cmp figure b { position: absolute; transform: translate(-50%, 50%); border-radius: 50%;
  background: light-dark(#a87900, #f0b90b); }
.cmp figcaption { display: flex; justify-content: space-between; gap: .3rem; font-size: .68rem; opacity: .6;
  margin-top: .2rem; line-height: 1.3; }
.cmp figcaption span:nth-child(2) { text-align: center; }
@media (max-width: 640px) {
  .cmp .axis { margin: .1rem 0; }
  .cmp .strip { grid-template-columns: 1fr auto; padding: .34rem 0; }
  .cmp .strip i { grid-column: 1 / 3; grid-row: 2; }
  .cmp .sure { grid-template-columns: 1fr; }
  .cmp figure { max-width: 220px; } }
</style>
"""

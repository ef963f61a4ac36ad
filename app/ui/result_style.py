"""The look of results: calendar, lists of figures, bars. Rules for markup of ours alone."""

RESULTS = """
<style>
.results .tiles { grid-template-columns: repeat(auto-fit, minmax(min(100%, max(150px, 17%)), 1fr)); }
@media (max-width: 640px) { .results .tiles { grid-template-columns: 1fr 1fr; } }
.calendar, .figures, .bars, .hours { margin-bottom: .6rem !important; }
.calendar .months { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 250px), 1fr));
  gap: .9rem 1.2rem; }
.calendar .month { max-width: 460px; }
.calendar details { margin-top: .7rem; }
.calendar summary { cursor: pointer; font-size: .82rem; opacity: .75; margin-bottom: .7rem; }
.calendar .month p { display: flex; justify-content: space-between; margin: 0 0 .3rem; font-size: .86rem; }
.calendar .month p small { margin: 0 .6rem 0 auto; opacity: .75; }
.calendar .month p b { font-variant-numeric: tabular-nums; font-weight: 600; }
.calendar .days { display: grid; grid-template-columns: repeat(7, 1fr); gap: 3px; }
.calendar .head { font-size: .68rem; opacity: .55; text-align: center; }
.calendar .day { --tint: transparent; display: flex; flex-direction: column; min-height: 38px; padding: 2px 4px 3px;
  box-sizing: border-box; border-radius: 4px; line-height: 1.2; overflow: hidden;
  background: color-mix(in srgb, var(--tint) var(--strength, 0%), color-mix(in srgb, currentColor 5%, transparent)); }
.calendar .day.up { --tint: var(--rise); }
.calendar .day.down { --tint: var(--fall); }
.calendar .day i { font-style: normal; font-size: .66rem; opacity: .6; }
.calendar .day em { font-style: normal; font-size: .7rem; font-weight: 600; text-align: right; margin-top: auto;
  font-variant-numeric: tabular-nums; white-space: nowrap; letter-spacing: -.02em; }
:is(.calendar p b, .figures dd).up { color: var(--rise); }
:is(.calendar p b, .figures dd).down { color: var(--fall); }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 190px), 1fr)); gap: 0 1.4rem;
  margin: 0; padding: 0 !important; font-variant-numeric: tabular-nums; }
.figures div { display: flex; justify-content: space-between; gap: .6rem; padding: .34rem 0;
  border-bottom: 1px solid color-mix(in srgb, currentColor 9%, transparent); font-size: .86rem; }
.figures :is(dt, dd, div) { margin: 0 !important; }
.figures dt { padding: 0; opacity: .7; font-weight: 400; }
.figures dd { font-weight: 600; white-space: nowrap; }
.scored { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); gap: .8rem;
  font-variant-numeric: tabular-nums; margin-bottom: 1rem; }
.scored section { border: 1px solid color-mix(in srgb, currentColor 14%, transparent); border-radius: 8px;
  padding: .7rem .9rem; min-width: 0; }
.scored header { display: flex; justify-content: space-between; align-items: baseline; gap: .8rem; font-size: .9rem; }
.scored header b { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-weight: 600; }
.scored header span { white-space: nowrap; font-size: .8rem; opacity: .7; }
.scored p { margin: .45rem 0 0 !important; font-size: .8rem; opacity: .8; }
.scored p.said { display: flex; gap: 2px; height: 6px; border-radius: 3px; overflow: hidden; opacity: 1; }
.scored .said i { min-width: 3px; background: color-mix(in srgb, currentColor 22%, transparent); }
.scored .said i.long { background: var(--rise); }
.scored .said i.short { background: var(--fall); }
.scored dl { margin: .4rem 0 0 !important; padding: 0 !important; }
.scored dl div { display: flex; justify-content: space-between; gap: .6rem; padding: .22rem 0; font-size: .84rem; }
.scored :is(dt, dd) { margin: 0 !important; padding: 0; }
.scored dt { opacity: .7; font-weight: 400; }
.scored dd { font-weight: 600; white-space: nowrap; }
.scored small { display: block; margin-top: .35rem; font-size: .78rem; opacity: .7; }
.bars { display: grid; gap: .5rem; font-size: .84rem; font-variant-numeric: tabular-nums; }
.bars .bar { --tint: light-dark(#a87900, #f0b90b); display: grid; align-items: center; gap: .05rem .6rem;
  grid-template-columns: minmax(4.2rem, auto) 1fr auto; }
.bars.even .bar { grid-template-columns: 7.4rem 1fr auto; }
.results.six .tiles { grid-template-columns: repeat(auto-fit, minmax(min(100%, max(150px, 15%)), 1fr)); }
@media (max-width: 640px) { .results.six .tiles { grid-template-columns: 1fr 1fr; } }
.bars .bar.up { --tint: var(--rise); } .bars .bar.down { --tint: var(--fall); }
.bars .track { position: relative; height: 8px; border-radius: 4px;
  background: color-mix(in srgb, currentColor 8%, transparent); }
.bars .track i { display: block; height: 100%; border-radius: 4px; background: var(--tint); }
.bars .track b { position: absolute; top: -3px; bottom: -3px; width: 2px; background: currentColor; opacity: .8; }
.bars .value { font-weight: 600; text-align: right; min-width: 4.6rem; }
.bars .bar.up .value { color: var(--rise); } .bars .bar.down .value { color: var(--fall); }
.bars .note { grid-column: 2 / 4; font-size: .74rem; opacity: .62; }
.hours { display: grid; grid-template-columns: repeat(24, 1fr); gap: 2px; height: 112px; position: relative; }
.hours > span { position: relative; border-radius: 3px; background: color-mix(in srgb, currentColor 4%, transparent);
  margin-bottom: 16px; }
.hours i { position: absolute; left: 0; right: 0; }
.hours .up i { bottom: 50%; background: var(--rise); border-radius: 2px 2px 0 0; max-height: 50%; }
.hours .down i { top: 50%; background: var(--fall); border-radius: 0 0 2px 2px; max-height: 50%; }
.hours b { position: absolute; bottom: -16px; left: 0; font-size: .68rem; font-weight: 400; opacity: .6; }
.files { display: grid; gap: .35rem; font-size: .86rem; }
.files p { display: flex; justify-content: space-between; gap: 1.2rem; margin: 0; align-items: baseline; }
.files span a { margin-left: .7rem; color: light-dark(#8a6400, #f0b90b); }
.files small { opacity: .65; line-height: 1.5; max-width: 19rem; }
</style>
"""

"""
What the theme cannot say: the page's margins, tabular figures, and the look of our own small browser modules.
"""

import streamlit as st

from app.ui.palette import Palette

PAGE = """
<style>
:is(.st-key-document, .st-key-remember_language, .st-key-wear_theme, .st-key-go), [class*="st-key-follow_"],
[data-testid="stLayoutWrapper"]:has(> :is(.st-key-tabs, .st-key-own_colours)),
[data-testid="stLayoutWrapper"]:not(:has(button, .stElementContainer:not([class*="st-key-follow_"]))) {
  display: none; }
/* places kept for what arrives after the rest: the front door, the choice of languages above it, the live parts */
.st-key-door { min-height: 498px; }
.st-key-lang { min-width: 130px; min-height: 34px; }
.st-key-bar { min-height: 50px; }
.st-key-bell { flex: 0 0 auto !important; min-width: 40px; min-height: 40px; }
.st-key-tiles { min-height: 84px; }
/* however many symbols there are, they stand in one line, which scrolls in its own box */
.st-key-symbol [data-testid="stButtonGroup"] > div { flex-wrap: nowrap; overflow-x: auto; scrollbar-width: thin; }
.st-key-symbol [data-testid="stButtonGroup"] button { flex: none; }
.st-key-position { min-height: 42px; }
.st-key-switches { min-height: 248px; }
.st-key-custom_prompt { min-height: 87px; }
/* the badges' place is all the room there is, so that the countdown stands still when they come */
.st-key-badges { flex: 1 1 auto !important; min-height: 22px; }
.st-key-countdown { flex: 0 0 auto !important; width: auto !important; min-height: 23px; min-width: 6.2rem; }
:is(.st-key-badges, .st-key-countdown, .st-key-bell) [data-testid="stSkeleton"] { display: none; }
/* who wants less motion sees a place kept, and no pulse */
@media (prefers-reduced-motion: reduce) { [data-testid="stSkeleton"] { animation: none !important; } }
.stMainBlockContainer { padding: 3.6rem 1.4rem 2.5rem; max-width: 1680px; }
[data-testid="stHeader"] { background: var(--page); }
/* a Korean word is not broken inside; popovers and toasts live outside the main block */
body *:not(pre, pre *, code) { word-break: keep-all !important; overflow-wrap: break-word; }
[data-testid="stText"] { white-space: pre-wrap; }
/* what Streamlit draws too faint to read: small print; the first button is the door's gold in both themes */
[data-testid="stCaptionContainer"] { opacity: .78 !important; }
/* the theme's scheme, also before the first script has drawn (early.js says a chosen one), and for popovers and
   dialogs, which stand outside the part of the page that has it */
:root { color-scheme: light dark; background: light-dark(#ffffff, #0b0e11); }
[data-testid="stPopoverBody"], [data-testid="stDialog"] { color-scheme: inherit; }
[data-testid^="stBaseButton-primary"]:not(:disabled) { background: #f0b90b; border-color: #f0b90b; }
[data-testid^="stBaseButton-primary"]:not(:disabled):hover { background: #fcd535; border-color: #fcd535; }
[data-testid^="stBaseButton-primary"]:not(:disabled) p { color: #1a1300; }
/* room for the chart before it is there, so that nothing jumps when it comes */
:root { --chart-height: clamp(430px, 100vh - 260px, 640px); }
.st-key-chart { min-height: var(--chart-height); }
.st-key-filters [data-testid="stButtonGroup"] button { min-height: 2.35rem; }
/* groups of switches: every one on a wide screen; on a phone a button each, which shows and hides its own */
[class*="st-key-fold_"] { display: none; }
[class*="st-key-sees_"] [data-testid="stCaptionContainer"] { padding-left: 2.6rem; margin-top: -.4rem; }
[class*="st-key-number_"] [data-testid="stMetricValue"] { font-size: 1.3rem; }
[data-testid="stMetricValue"], [data-testid="stDataFrame"] { font-variant-numeric: tabular-nums; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: .6rem; }
.tile { position: relative; overflow: hidden; min-height: 84px; padding: .6rem .85rem .55rem; box-sizing: border-box;
  background: right bottom / 52% 62% no-repeat;
  border: 1px solid color-mix(in srgb, currentColor 16%, transparent); border-radius: 6px;
  font-variant-numeric: tabular-nums; }
.strips { display: grid; gap: .7rem; font-size: .85rem; font-variant-numeric: tabular-nums; }
.strip .head { display: flex; gap: .6rem; align-items: baseline; margin-bottom: .2rem; }
.strip .head b { font-weight: 600; }
.strip .share { margin-left: auto; opacity: .8; }
.strip .word { font-size: .78rem; font-weight: 600; }
.strip .cells { display: flex; gap: 2px; height: 26px; }
.strip .cells i { flex: 1 1 0; min-width: 1px; border-radius: 2px;
  background: color-mix(in srgb, currentColor 12%, transparent); }
.strip .cells i.ok { background: light-dark(#03a66d, #0ecb81); }
.strip .cells i.late { background: light-dark(#d99a00, #f0b90b); }
.strip .cells i.down { background: light-dark(#cf304a, #f6465d); }
.strip .word.ok { color: light-dark(#02875a, #0ecb81); }
.strip .word.late { color: light-dark(#8a6400, #f0b90b); }
.strip .word.down { color: light-dark(#cf304a, #f6465d); }
.strip .word.unknown { opacity: .8; }
.strips .ends { display: flex; justify-content: space-between; font-size: .75rem; opacity: .8; margin-top: -.35rem; }
.tile .label { font-size: .8rem; opacity: .7; }
.tile .value { font-size: 1.35rem; font-weight: 600; line-height: 1.45; letter-spacing: -.01em; }
.tile .note { font-size: .78rem; min-height: 1.2em; }
.tile .up, .tile.up .value { color: var(--rise); }
.tile .down, .tile.down .value { color: var(--fall); }
.notices { list-style: none; margin: 0; padding: 0 !important; font-size: .9rem; }
.notices li { display: grid; margin: 0; grid-template-columns: 1.6rem 1fr auto; gap: 0 .6rem; padding: .6rem 0;
  line-height: 1.5; border-top: 1px solid color-mix(in srgb, currentColor 12%, transparent); }
.notices li:first-child { border-top: 0; }
.notices .icon { font: normal 20px/1.2 "Material Symbols Rounded"; font-style: normal; letter-spacing: 0;
  white-space: nowrap; opacity: .7; }
.notices .urgent .icon { color: light-dark(#cf304a, #f6465d); opacity: 1; }
.notices b { font-weight: 600; }
.notices em { font-style: normal; font-size: .75rem; font-weight: 600; margin-left: .5rem; padding: .05rem .4rem;
  border-radius: 4px; background: color-mix(in srgb, #3b82f0 22%, transparent); }
.notices p { margin: 0; opacity: .82; overflow-wrap: anywhere; }
.notices time { font-variant-numeric: tabular-nums; opacity: .65; font-size: .82rem; padding-top: .1rem;
  white-space: nowrap; }
.trail { list-style: none; margin: 0; padding: 0 !important; font-size: .9rem; }
.trail li { display: grid; margin: 0; grid-template-columns: 5.6rem 1fr; gap: .2rem .8rem; padding: .55rem 0;
  line-height: 1.45; border-top: 1px solid color-mix(in srgb, currentColor 12%, transparent); }
.trail li:first-child { border-top: 0; }
.trail time { font-variant-numeric: tabular-nums; opacity: .65; font-size: .82rem; padding-top: .1rem; }
.trail b { font-weight: 600; }
.trail em { font-style: normal; font-size: .78rem; margin-left: .5rem; padding: .05rem .4rem; border-radius: 4px;
  background: color-mix(in srgb, #f0b90b 22%, transparent); }
.trail span, .trail small { display: block; overflow-wrap: anywhere; }
.trail small { font-size: .8rem; opacity: .62; }
@media (max-width: 1100px) {
  .st-key-log_split [data-testid="stHorizontalBlock"]:has(> .stColumn) { flex-direction: column-reverse; }
  .st-key-log_split .stColumn { width: 100% !important; flex: 1 1 auto !important; min-width: 0; } }
@media (max-width: 1100px) {
  .st-key-people_split [data-testid="stHorizontalBlock"]:has(> .stColumn) { flex-direction: column-reverse; }
  .st-key-people_split .stColumn { width: 100% !important; flex: 1 1 auto !important; min-width: 0; } }
@media (max-width: 640px) {
  :root { --chart-height: max(340px, 55svh); }
  .strip .cells { gap: 1px; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .tile { background-size: 46% 34%; } }
:is(.st-key-control, .st-key-stops) [data-testid="stText"] { font-size: .87rem; opacity: .82; }
/* a long name must not take the title's room */
.st-key-me button p { display: block; max-width: min(14rem, 20vw); overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
/* the door has no bar: its first line must clear Streamlit's header itself */
@media (min-width: 769px) { .stMainBlockContainer:not(:has(.st-key-bar)) { padding-top: 5rem; } }
/* the bar stays under Streamlit's header, over whatever scrolls */
.st-key-bar { position: sticky; top: 3.25rem; z-index: 90; background: var(--page);
  box-shadow: 0 1px 0 var(--edge); }
@media (max-width: 768px) {
  [data-testid="stLayoutWrapper"]:has(> :is([class*="st-key-named_"], [class*="st-key-shut_"])) { display: none; }
  [class*="st-key-fold_"] { display: block; }
  .st-key-symbol [data-testid="stButtonGroup"] button { min-height: 40px; }
  [class*="st-key-fold_"] button { min-height: 44px; }
  [class*="st-key-fold_"] :is(button, button div) { justify-content: flex-start; text-align: left; }
  .st-key-top { flex-wrap: nowrap !important; align-items: flex-start !important; }
  .st-key-top > :first-child { flex: 1 1 0 !important; min-width: 0 !important; }
  .st-key-me button { min-height: 44px; min-width: 44px; }
  /* out of sight, not out of the page: it is the button's name */
  .st-key-me button p { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  [data-testid="stHeader"], [data-testid="stSidebar"] { display: none; }
  .st-key-bar { top: 0; padding-top: env(safe-area-inset-top); min-height: 67px; }
  .st-key-top:has(.st-key-badges) { min-height: 59px; }
  .st-key-badges { flex-basis: 100% !important; }
  /* a lock's badge says until when: on a second line rather than cut off */
  .stMarkdownBadge { white-space: normal !important; }
  .st-key-bell { min-width: 44px; min-height: 44px; }
  .st-key-tiles { min-height: 141px; }
  .st-key-switches { min-height: 272px; }
  .stMainBlockContainer { padding: .2rem .7rem calc(5rem + env(safe-area-inset-bottom)); }
  [data-testid="stLayoutWrapper"]:has(> .st-key-tabs) { display: block; position: absolute; }
  .st-key-tabs { position: fixed; inset: auto 0 0; z-index: 95; width: auto; gap: 0; flex-wrap: nowrap;
    overflow-x: auto; background: var(--page); border-top: 1px solid var(--edge); min-height: 55px;
    padding: 0 .2rem env(safe-area-inset-bottom); }
  .st-key-tabs > * { flex: 1 1 0 !important; min-width: 3.8rem !important; }
  .st-key-tabs :is(div, a) { width: 100% !important; margin: 0; height: auto; }
  .st-key-tabs .stElementContainer { margin: 0 !important; }
  .st-key-tabs [data-testid="stPageLink"] { min-height: 54px; }
  .st-key-tabs a { flex-direction: column; gap: .1rem; min-height: 54px; padding: .3rem .1rem; border-radius: 0;
    justify-content: center; align-items: center; background: none !important; }
  .st-key-tabs a p { font-size: 11px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
  /* an operator's eight are as wide as their words, so that the last one is in sight */
  .st-key-tabs:has(> :nth-child(8)) > * { flex: 1 0 max-content !important; width: auto !important;
    min-width: 2.9rem !important; }
  .st-key-tabs:has(> :nth-child(8)) a { padding: .3rem 0; }
  .st-key-tabs:has(> :nth-child(8)) a p { font-size: 10.5px; letter-spacing: -.02em; }
  .st-key-tabs a * { opacity: .82; }
  .st-key-tab_here a :is(p, span) { color: var(--accent) !important; opacity: 1; } }
</style>
"""

DOOR = """
.door { display: grid; gap: .7rem; font-family: var(--st-font); color: var(--st-text-color); font-size: 14px; }
.door form { display: grid; gap: .7rem; }
.door label { display: grid; gap: .3rem; font-size: 13px; }
.door label.check { grid-template-columns: auto 1fr; align-items: start; gap: .55rem; line-height: 1.45; }
.door label.check input { width: 1rem; height: 1rem; margin: .15rem 0 0; accent-color: var(--st-primary-color); }
.door input:not([type=checkbox]) { box-sizing: border-box; width: 100%; padding: .62rem .7rem; font: inherit;
  color: var(--st-text-color); background: var(--st-secondary-background-color);
  border: 1px solid var(--st-border-color); border-radius: 6px; }
.door input:focus-visible, .door button:focus-visible {
  outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
.door button { font: inherit; font-weight: 600; padding: .68rem .8rem; border-radius: 6px; cursor: pointer;
  border: 1px solid var(--st-border-color); background: transparent; color: var(--st-text-color); }
.door button:disabled { opacity: .55; cursor: progress; }
.door button.primary { background: #f0b90b; border-color: #f0b90b; color: #1a1300; }
.door button.second { background: transparent; border-color: var(--st-border-color); color: var(--st-text-color); }
.door button:hover:not(:disabled) { filter: brightness(1.07); border-color: var(--st-primary-color); }
.door button.small { justify-self: start; border: 0; padding: 0; font-weight: 400; font-size: 12px; opacity: .8;
  text-decoration: underline; }
.door a.back { font-size: 12px; opacity: .8; color: var(--st-text-color); justify-self: start; }
.door .links { display: flex; justify-content: space-between; gap: .8rem; }
.door [hidden] { display: none; }
.door .quick { display: grid; gap: .5rem; }
.door small { color: var(--st-text-color); opacity: .68; font-size: 12px; line-height: 1.45; }
.door .or { display: grid; grid-template-columns: 1fr auto 1fr; gap: .7rem;
  align-items: center; opacity: .76; font-size: 12px; }
.door .or::before, .door .or::after { content: ""; border-top: 1px solid var(--st-border-color); }
.door .tabs { display: grid; grid-template-columns: 1fr 1fr; border-bottom: 1px solid var(--st-border-color); }
.door .tabs button { border: 0; border-radius: 0; border-bottom: 2px solid transparent; opacity: .65; padding: .45rem; }
.door .tabs button[aria-selected=true] { opacity: 1; border-bottom-color: var(--st-primary-color); }
.door .shut { margin: 0; font-size: 13px; line-height: 1.5; }
.door .alert:empty { display: none; }
.door .alert { margin: 0; color: var(--st-red-color, #f6465d); font-size: 13px; }
"""

GUARD = """
.door p { margin: 0; }
.door .told { font-size: 13px; line-height: 1.55; word-break: keep-all; overflow-wrap: anywhere; }
.door .told code { display: block; margin-top: .3rem; font-size: 14px; letter-spacing: .04em; user-select: all; }
.door .qr { border-radius: 8px; background: #fff; justify-self: start; }
.door .codes { margin: 0; padding: .7rem .9rem .7rem 2.4rem; display: grid; border-radius: 6px;
  font: 13px/1.75 monospace; grid-template-columns: repeat(auto-fill, minmax(13.5rem, 1fr));
  background: var(--st-secondary-background-color); }
.door .row { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; }
.door a.button { font-weight: 600; text-align: center; padding: .68rem .8rem; border-radius: 6px; text-decoration: none;
  border: 1px solid var(--st-border-color); color: var(--st-text-color); }
.door button.danger { border-color: var(--st-red-color, #f6465d); color: var(--st-red-color, #f6465d); }
"""

LEAVE = """
.leave { width: 100%; font: 500 13px var(--st-font); padding: .5rem .8rem; border-radius: 6px; cursor: pointer;
  border: 1px solid var(--st-border-color); background: transparent; color: var(--st-text-color); }
.leaving { display: grid; gap: .45rem; font: 13px/1.45 var(--st-font); color: var(--st-text-color); }
.leaving p { margin: 0; word-break: keep-all; overflow-wrap: anywhere; }
.leave.sure { border-color: var(--st-red-color, #f6465d); color: var(--st-red-color, #f6465d); }
.leave:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
.leave:hover { border-color: var(--st-red-color, #f6465d); color: var(--st-red-color, #f6465d); }
"""

COUNTDOWN = """
.countdown { position: relative; display: inline-flex; gap: .5rem; align-items: baseline; overflow: hidden;
  font: 12px var(--st-font); color: var(--st-text-color); white-space: nowrap; padding: .22rem .1rem .3rem; }
.countdown b { font-size: 14px; font-variant-numeric: tabular-nums; color: var(--st-primary-color); }
.countdown i { position: absolute; left: 0; bottom: 0; height: 2px; background: var(--st-primary-color); }
"""


def page_style(colours: Palette) -> None:
    """Put *colours* for up and down into this run; the page's own rules came with the page (app.index_page)."""
    (rise, fall), (rise_dark, fall_dark) = colours.light, colours.dark
    both = (
        f":root {{ --rise: light-dark({rise}, {rise_dark}); --fall: light-dark({fall}, {fall_dark});"
        " --page: light-dark(#fff, #0b0e11); --edge: light-dark(#e3e6ea, #2b3139);"
        " --accent: light-dark(#8a6400, #f0b90b); }"
    )
    # not a style alone: that would stand among the toasts, and go with the next toast of a fragment
    st.html(f"<style>{both}</style><i></i>")

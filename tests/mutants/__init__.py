"""
Mutants: every guard of the order protocol removed once, by a patch, and the named test that notices.

A `.patch` file begins with `# guard:` (what is taken away) and one or more `# killed by:` lines (pytest node ids),
then a unified diff. A test suite that lets one of them live proves nothing about that guard.
"""

"""
What Streamlit learns of the installed packages, learnt once.

At each start of a runtime and at each `AppTest.run` it parses the metadata of every package of the environment, looking
for components: a tenth of a second, a thousand times a test run, and always the same answer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner


@contextmanager
def read_once() -> Iterator[None]:
    """Within the block Streamlit looks at the packages once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield

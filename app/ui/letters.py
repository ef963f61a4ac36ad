"""
Long text letter by letter in a box of a fixed height.

The box scrolls, not the text in it: Streamlit's own scrolling code block holds nothing a keyboard can stop at, while
the box also holds the block's button to copy it.
"""

from typing import Literal

import streamlit as st


def letters(text: str, height: int | Literal["content"]) -> None:
    """*text*, its lines broken where they must be, in a box *height* pixels high, or as high as it is."""
    with st.container(height=height, border=False):
        st.code(text, language=None, wrap_lines=True)

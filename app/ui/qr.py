"""A QR code as an image of our own: SVG in a data address, so nobody else is asked to draw it. No Streamlit here."""

import segno


def qr_address(text: str) -> str:
    """The data address of the QR code of *text*, dark on white as cameras want it."""
    return str(segno.make(text, error="m", micro=False).svg_data_uri(scale=5, border=3, dark="#000", light="#fff"))

"""The borders of the web: what comes in over a socket is measured and parsed here, once, before it is believed."""

"""
The bundled rules behind OpenAI's wire format.
"""

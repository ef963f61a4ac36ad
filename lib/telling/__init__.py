"""Telling people: what waits is sent to their channels, and somebody notices when the trader is silent."""

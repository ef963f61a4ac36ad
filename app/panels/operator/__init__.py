"""Sections of the operators' room; each fragment begins with `require_operator`."""

"""The whole system as a person meets it: real processes, a real browser, nothing between them replaced."""

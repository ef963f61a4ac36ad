"""
How many calls leave, and who goes first.
"""

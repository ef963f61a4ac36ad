"""
The database as the trader uses it, an aggregate a file.
"""

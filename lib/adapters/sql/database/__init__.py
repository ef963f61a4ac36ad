"""
Reaching a database, one transaction at a time, and bringing it to this release's schema.
"""

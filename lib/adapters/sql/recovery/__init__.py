"""
A backup of the whole database as one file, its way back, and sealed columns sealed anew.
"""

"""
Tables and the columns they are made of.
"""

"""
The database as forms and pages write it: people, sessions, keys, what they ask of the trader.
"""

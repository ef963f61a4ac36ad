"""
The database as forms and pages write it: people, sessions, keys, commands to the trader.
"""

"""
What tests play in: the trader in one process, in seeded time, over real servers, behind pages, under a flood.
"""

"""
No position of ours without a stop.
"""

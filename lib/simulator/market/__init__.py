"""
Where prices come from: invented, read from a file, or a real venue's.
"""

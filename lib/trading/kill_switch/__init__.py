"""
What a thrown switch does until it is proved.
"""

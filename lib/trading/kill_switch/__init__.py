"""
The kill switch: from a thrown switch to the proof that trading stopped.
"""

"""
Orders on their way: sent once, resolved by evidence, reconciled, closed; and the books their executions make.
"""

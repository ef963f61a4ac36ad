"""
What a program may do in a person's name: read, or read and control. Neither reaches keys, sign-in or the account's
safety. Pure.
"""

from typing import Literal

Scope = Literal["read", "control"]

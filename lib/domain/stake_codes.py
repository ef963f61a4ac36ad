"""
Why an entry does not fit beside what the account has at stake, or in its symbols: a part of the list in
`lib.domain.reason_codes`.
"""

from lib.domain.reason import Kind, declare

POSITIONS_FULL = declare("positions_full", open=Kind.COUNT, limit=Kind.COUNT)
EXPOSURE_FULL = declare("exposure_full", exposure=Kind.MONEY, limit=Kind.MONEY)
EXPOSURE_FULL_BY_NOW = declare("exposure_full_by_now")
SYMBOL_NOT_CHOSEN = declare("symbol_not_chosen")

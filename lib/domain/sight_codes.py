"""
Why a block was left out of what an analyst was shown: a part of the list in `lib.domain.reason_codes`.
"""

from lib.domain.reason import Kind, declare

INPUT_TOO_FEW = declare("input_too_few", found=Kind.COUNT, wanted=Kind.COUNT)
INPUT_MISSING = declare("input_missing")
INPUT_NONE_ENDED = declare("input_none_ended")
INPUT_HIDDEN = declare("input_hidden")
NEWS_NONE = declare("news_none")
NEWS_UNREAD = declare("news_unread", problem=Kind.TEXT)
INPUT_STALE = declare("input_stale", seconds=Kind.COUNT)
INPUT_UNREAD = declare("input_unread", why=Kind.WHY)

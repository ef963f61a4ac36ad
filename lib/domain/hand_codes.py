"""The part of `lib.domain.reason_codes` about managing a position: acts beyond buy, sell and hold."""

from lib.domain.reason import Kind, declare

STOP_LEFT_WHERE_IT_IS = declare("stop_left_where_it_is")
STOP_TIGHTENED = declare("stop_tightened", before=Kind.NUMBER, after=Kind.NUMBER, why=Kind.WHY)
TIGHTENED_STOP_PASSED = declare("tightened_stop_passed", stop=Kind.NUMBER)
TIGHTENED_STOP_REFUSED = declare("tightened_stop_refused")
STOP_AT_BREAK_EVEN = declare("stop_at_break_even", symbol=Kind.NAME, stop=Kind.NUMBER)
STOP_KEPT_WHERE_TRAILED = declare("stop_kept_where_trailed", symbol=Kind.NAME, stop=Kind.NUMBER)
HELD_TO_TIME_STOP = declare("held_to_time_stop", minutes=Kind.COUNT)
TOLD_MOVED = declare("told_moved")
FLAT_ALREADY = declare("flat_already")
CLOSED_PART = declare("closed_part", share=Kind.SHARE, why=Kind.WHY)
CLOSED_WITH_REST = declare("closed_with_rest", share=Kind.SHARE, why=Kind.WHY)
CLOSED_AS_FAR_AS = declare("closed_as_far_as", limit=Kind.WHY, why=Kind.WHY)
PART_BELOW_MINIMUM = declare("part_below_minimum", share=Kind.SHARE)
ANSWER_CLOSES_NOTHING = declare("answer_closes_nothing")

"""The part of `lib.domain.reason_codes` about what decisions were worth: what can be said, and what cannot yet."""

from lib.domain.reason import Kind, declare

EVIDENCE_BETTER = declare("evidence_better", mean=Kind.SHARE, low=Kind.SHARE, days=Kind.COUNT)
EVIDENCE_WORSE_THAN_CHANCE = declare("evidence_worse_than_chance", high=Kind.SHARE, days=Kind.COUNT)
EVIDENCE_LOSES = declare("evidence_loses", mean=Kind.SHARE, high=Kind.SHARE, days=Kind.COUNT)
EVIDENCE_NOT_YET = declare("evidence_not_yet", edge=Kind.SHARE, more=Kind.COUNT)
EVIDENCE_OUT_OF_REACH = declare("evidence_out_of_reach", edge=Kind.SHARE)
EVIDENCE_NOT_SEEN = declare("evidence_not_seen", edge=Kind.SHARE, days=Kind.COUNT)
EVIDENCE_FEW_DECIDED = declare("evidence_few_decided", decided=Kind.COUNT, least=Kind.COUNT)
EVIDENCE_FEW_DAYS = declare("evidence_few_days", days=Kind.COUNT, least=Kind.COUNT)
EVIDENCE_AHEAD = declare("evidence_ahead", low=Kind.SHARE, days=Kind.COUNT)
EVIDENCE_WINNER = declare("evidence_winner", version=Kind.NAME, tries=Kind.COUNT, low=Kind.SHARE)
EVIDENCE_NO_WINNER = declare("evidence_no_winner", tries=Kind.COUNT, left=Kind.COUNT)
EVIDENCE_ONE_LEFT = declare("evidence_one_left", version=Kind.NAME, tries=Kind.COUNT)
EVIDENCE_NONE_LEFT = declare("evidence_none_left", tries=Kind.COUNT)

# why a shadow was not asked at a T, or its answer was dropped
SHADOW_LATE = declare("shadow_late")
SHADOW_CALLS_USED_UP = declare("shadow_calls_used_up", limit=Kind.COUNT)
SHADOW_USD_USED_UP = declare("shadow_usd_used_up", limit=Kind.MONEY)
SHADOW_PLATFORM_USED_UP = declare("shadow_platform_used_up")
SHADOW_SHARE_USED_UP = declare("shadow_share_used_up", people=Kind.COUNT)
SHADOW_SAME = declare("shadow_same")
SHADOW_BESIDE_NOTHING = declare("shadow_beside_nothing")
SHADOW_POSITION_UNKNOWN = declare("shadow_position_unknown")

# why a backtest came to nothing
BACKTEST_NO_CANDLES = declare("backtest_no_candles", symbol=Kind.NAME)
BACKTEST_NO_DECISION = declare("backtest_no_decision")
BACKTEST_BROKE = declare("backtest_broke", how=Kind.NAME)
BACKTESTS_MANY = declare("backtests_many")

# why a model is asked no more about the past
PAST_USD_REACHED = declare("past_usd_reached", limit=Kind.MONEY)
PAST_CALLS_REACHED = declare("past_calls_reached", limit=Kind.COUNT)
PAST_PERSON_REACHED = declare("past_person_reached")
PAST_PLATFORM_REACHED = declare("past_platform_reached")
PAST_MODEL_DAY_REACHED = declare("past_model_day_reached", model=Kind.NAME)
PAST_MODEL_GONE = declare("past_model_gone", model=Kind.NAME)
PAST_MODEL_AWAY = declare("past_model_away", why=Kind.WHY)

# what a memory test found
MEMORY_CLEAN = declare("memory_clean", windows=Kind.COUNT)
MEMORY_FEW = declare("memory_few", windows=Kind.COUNT, least=Kind.COUNT)
MEMORY_IDLE = declare("memory_idle", acted=Kind.COUNT, least=Kind.COUNT)
MEMORY_DATES = declare("memory_dates", share=Kind.SHARE)
MEMORY_PRICES = declare("memory_prices", share=Kind.SHARE)
MEMORY_LONG = declare("memory_long", share=Kind.SHARE, other=Kind.SHARE)
MEMORY_SHORT = declare("memory_short", share=Kind.SHARE, other=Kind.SHARE)
MEMORY_MIRROR = declare("memory_mirror", share=Kind.SHARE)
MEMORY_DICE = declare("memory_dice", share=Kind.SHARE)
MEMORY_ORDER = declare("memory_order", share=Kind.SHARE)

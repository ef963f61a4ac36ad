"""
What a chat with the bot is answered, and the daily report: part of the one list (`lib.domain.reason_codes`). Pure.
"""

from lib.domain.reason import Kind, declare

CHAT_UNBOUND = declare("chat_unbound")
CHAT_BOUND = declare("chat_bound")
CHAT_HELP = declare("chat_help")
CHAT_NO_ACCOUNT = declare("chat_no_account")
CHAT_ON = declare("chat_on")
CHAT_OFF = declare("chat_off")
CHAT_STOPPING = declare("chat_stopping")
CHAT_STOPPED = declare("chat_stopped")
CHAT_MONEY = declare("chat_money", equity=Kind.MONEY, today=Kind.MONEY)
CHAT_FLAT = declare("chat_flat")
CHAT_POSITION = declare(
    "chat_position", symbol=Kind.NAME, way=Kind.WAY, qty=Kind.NUMBER, entry=Kind.NUMBER, result=Kind.MONEY
)
CHAT_STOP = declare("chat_stop", stop=Kind.NUMBER)
CHAT_STOP_UNKNOWN = declare("chat_stop_unknown")
CHAT_PAUSED = declare("chat_paused")
CHAT_NO_RESUME = declare("chat_no_resume")
CHAT_NO_FACTOR = declare("chat_no_factor")
CHAT_ASK_CODE = declare("chat_ask_code")
CHAT_CODE_WRONG = declare("chat_code_wrong")
CHAT_WAIT = declare("chat_wait", seconds=Kind.COUNT)
CHAT_CANCELLED = declare("chat_cancelled")
CHAT_CLOSING = declare("chat_closing")
CHAT_PROVED = declare("chat_proved", seconds=Kind.COUNT)
CHAT_REFUSED = declare("chat_refused")
CHAT_LATE = declare("chat_late")
CHAT_BUTTON_STATUS = declare("chat_button_status")
CHAT_BUTTON_POSITIONS = declare("chat_button_positions")
CHAT_BUTTON_PAUSE = declare("chat_button_pause")
CHAT_BUTTON_CLOSE = declare("chat_button_close")
CHAT_BUTTON_CANCEL = declare("chat_button_cancel")

# once a day
_DAY = {"equity": Kind.MONEY, "made": Kind.MONEY, "trades": Kind.COUNT, "open": Kind.WHY}
DAILY = declare("daily", **_DAY)
DAILY_PRICED = declare("daily_priced", **_DAY, cost=Kind.NUMBER)
DAILY_OPEN = declare("daily_open", symbol=Kind.NAME, way=Kind.WAY, qty=Kind.NUMBER, stop=Kind.NUMBER)
DAILY_OPEN_STOPLESS = declare("daily_open_stopless", symbol=Kind.NAME, way=Kind.WAY, qty=Kind.NUMBER)
DAILY_PLATFORM = declare(
    "daily_platform", accounts=Kind.COUNT, holding=Kind.COUNT, unsettled=Kind.COUNT, stopped=Kind.COUNT
)
DAILY_OPERATORS = declare("daily_operators", state=Kind.WHY, money=Kind.WHY, analyst=Kind.WHY, incidents=Kind.WHY)
"""What the platform's state is (`DAILY_PLATFORM`), its equity, what the analyst cost, and what went wrong."""
DAILY_EQUITY = declare("daily_equity", venue=Kind.VENUE, accounts=Kind.COUNT, equity=Kind.MONEY, made=Kind.MONEY)
DAILY_NO_EQUITY = declare("daily_no_equity")
DAILY_MODEL = declare("daily_model", model=Kind.NAME, calls=Kind.COUNT, cost=Kind.MONEY)
DAILY_MODEL_UNPRICED = declare("daily_model_unpriced", model=Kind.NAME, calls=Kind.COUNT)
DAILY_UNASKED = declare("daily_unasked")
DAILY_INCIDENT = declare("daily_incident", what=Kind.WHY, times=Kind.COUNT)
DAILY_QUIET = declare("daily_quiet")
AND_ALSO = declare("and_also", one=Kind.WHY, more=Kind.WHY)
"""Two reasons side by side; of any number by putting one inside the other."""
TOLD_DAILY = declare("told_daily")
TOLD_KEY_EXPIRES = declare("told_key_expires")
KEY_EXPIRES = declare("key_expires", at=Kind.MOMENT)

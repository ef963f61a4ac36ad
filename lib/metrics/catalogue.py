"""
Every metric there is: its name, its unit (in the name), what it says, its labels. Alert rules and dashboard name these
and no others, which a test holds.

Labels have few values, all known here or bounded by the code and settings that fill them in; none is a person, an
account, an order or a sentence. Counters without labels are there, as 0, from the first look on.
"""

from typing import get_args

from lib.domain.order import TERMINAL, OrderState, SendOutcome
from lib.domain.risk import Outcome
from lib.ports.metrics import Metric

QUICK = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60)
"""Seconds: of a call and its answer."""
LONG = (0.5, 1, 2.5, 5, 10, 20, 30, 45, 60, 75, 90, 97, 120, 300)
"""Seconds: of a cycle; 90 is the oldest that candles may be at a claim, 97 the latest that an entry is accepted."""
OPEN_STATES = tuple(state.value for state in OrderState if state not in TERMINAL)
ENDS = tuple(sorted((*(state.value for state in TERMINAL), OrderState.NEEDS_HUMAN.value)))

ALERT_EVENTS = (
    "books.difference", "bybit.address_blocked", "bybit.strange_answer", "clock.off", "feed.subscription_refused",
    "feed.symbol_left_out", "flatten.stuck", "guardian.blind", "guardian.cannot_close", "guardian.closed",
    "guardian.crowded", "guardian.forced", "guardian.ledger_down", "hours.announced", "hours.symbol_open",
    "hours.symbol_shut", "ledger.lost_commits", "metrics.not_shown", "order.needs_human", "order.orphan_adopted",
    "platform.limits_unreadable", "platform.locked", "process.loops", "silence.began", "simulator.books_not_saved",
    "stop.by_environment", "stop.unproved", "upstream.symbol_left_out", "ws.topics_refused",
)  # fmt: skip
"""Every event that is logged for a person."""

# --- the process itself
BUILD = Metric("maemae_build_info", "gauge", "1; which process and release this is", {"service": (), "version": ()})
SOURCE_UP = Metric("maemae_source_up", "gauge", "Whether these figures could be read just now", {"source": ()})
ALERTS = Metric("maemae_alerts_total", "counter", "Log lines marked for a person, by event", {"event": ALERT_EVENTS})
DATABASE_ERRORS = Metric(
    "maemae_database_errors_total",
    "counter",
    "Errors the database driver raised",
    {"kind": ("away", "refused", "constraint", "other")},
)

# --- the processes a supervisor keeps
PROCESS_UP = Metric("maemae_process_up", "gauge", "Whether the supervisor has this process at work", {"process": ()})
PROCESS_LOOPS = Metric(
    "maemae_process_crash_loop", "gauge", "Whether this process keeps ending soon after its start", {"process": ()}
)
PROCESS_ENDS = Metric("maemae_process_ends_total", "counter", "Ends that nobody asked for", {"process": ()})

# --- the market's data
CANDLE_AGE = Metric(
    "maemae_candle_age_seconds",
    "gauge",
    "Age of the newest closed candle, since its close",
    {"symbol": (), "interval": ()},
)
CANDLES_HELD = Metric("maemae_candles_held", "gauge", "Closed candles in the list", {"symbol": (), "interval": ()})
STREAM_UP = Metric("maemae_websocket_up", "gauge", "Whether the public candle stream is connected")
STREAM_LOST = Metric("maemae_websocket_losses_total", "counter", "Times the public candle stream was lost")
STREAM_CONNECTED = Metric("maemae_websocket_connects_total", "counter", "Times the public candle stream came up")
PRIVATE_LOST = Metric("maemae_private_stream_losses_total", "counter", "Times an account's private stream was lost")
GAP_CANDLES = Metric(
    "maemae_candle_gaps_filled_total", "counter", "Closed candles fetched by REST because the stream did not bring them"
)
REBUILDS = Metric("maemae_candle_rebuilds_total", "counter", "Times a whole candle list was fetched anew")
REJECTED = Metric("maemae_candles_rejected_total", "counter", "Log lines about candles that cannot be true")
COLLECTOR_AGE = Metric("maemae_collector_heartbeat_age_seconds", "gauge", "Since the collector's last sign of life")

# --- cycles
CYCLES = Metric(
    "maemae_cycles_total", "counter", "Cycles by what became of them",
    {"outcome": ("served", "idle", "unserved", "not_leading")},
)  # fmt: skip
CYCLE_ACCOUNTS = Metric(
    "maemae_cycle_accounts_total", "counter", "Accounts served by a cycle, by outcome", {"outcome": get_args(Outcome)}
)
CYCLE_LAST = Metric(
    "maemae_cycle_last_timestamp_seconds", "gauge", "T of the newest finished five-minute cycle; at first the start"
)
CYCLE_STEPS = Metric(
    "maemae_cycle_step_seconds", "histogram",
    "candles: until they are checked; answer: from there until an account has its answer; whole: until all is done",
    {"step": ("candles", "answer", "whole")}, LONG,
)  # fmt: skip

# --- orders
SENT = Metric(
    "maemae_orders_sent_total", "counter", "Sends by what the reply said, which is a hint and no verdict",
    {"said": tuple(outcome.value for outcome in SendOutcome)},
)  # fmt: skip
ENDED = Metric("maemae_orders_ended_total", "counter", "Orders by the state they ended in", {"state": ENDS})
CLAIMS_REFUSED = Metric("maemae_order_claims_refused_total", "counter", "Claims that were not granted")
ORPHANS = Metric("maemae_orphan_orders_adopted_total", "counter", "Orders found at the exchange without a row of ours")
LOST_COMMITS = Metric("maemae_lost_commits_total", "counter", "Times the database had lost what was committed")
ANSWER_TO_SEND = Metric(
    "maemae_order_answer_to_send_seconds", "histogram", "From an account's answer to the send of its order", {}, QUICK
)
SEND_TO_VERDICT = Metric(
    "maemae_order_send_to_verdict_seconds", "histogram", "From an order's last send to its proved end", {}, QUICK
)
SEND_AGE = Metric(
    "maemae_order_send_age_seconds", "histogram", "Age of the decision's candles (since T) when its order was sent",
    {}, LONG,
)  # fmt: skip
UNRESOLVED = Metric(
    "maemae_orders_unresolved", "gauge", "Orders that have no end yet, by state", {"state": OPEN_STATES}
)
UNRESOLVED_AGE = Metric(
    "maemae_order_unresolved_oldest_seconds", "gauge", "Age of the oldest order that was sent and has no end; 0 = none"
)

# --- positions and their stops
POSITIONS = Metric("maemae_positions_open", "gauge", "Accounts that hold something of ours")
NO_STOP = Metric("maemae_positions_without_stop", "gauge", "Positions seen without their stop and not put right yet")
NO_STOP_AGE = Metric(
    "maemae_position_without_stop_oldest_seconds", "gauge", "Since the longest of those was seen; 0 = none"
)
NO_STOP_SECONDS = Metric(
    "maemae_position_without_stop_seconds", "histogram", "From a missing stop being seen to its end", {}, QUICK
)
STOPS_MISSING = Metric("maemae_stops_missing_total", "counter", "Positions found without their stop")
REPAIRS = Metric("maemae_stop_repairs_total", "counter", "Tries to put a stop back", {"outcome": ("done", "failed")})
GUARDIAN_CLOSES = Metric("maemae_guardian_closes_total", "counter", "Closes by the guardian")
FORCED = Metric("maemae_forced_exits_total", "counter", "Liquidations and reductions by the exchange")
GUARDIAN_AGE = Metric(
    "maemae_guardian_look_age_seconds", "gauge", "Since the guardian last looked who is to be guarded"
)

# --- the analyst
ANALYST_CALLS = Metric(
    "maemae_analyst_calls_total", "counter", "Calls by what came: a decision, no usable view, or no answer at all",
    {"model": (), "view": ("decided", "abstained", "failed")},
)  # fmt: skip
ANALYST_SECONDS = Metric("maemae_analyst_seconds", "histogram", "Time of a call", {"model": ()}, QUICK)
ANALYST_TOKENS = Metric(
    "maemae_analyst_tokens_total", "counter", "Tokens", {"model": (), "kind": ("prompt", "completion")}
)
ANALYST_GROUPS = Metric("maemae_analyst_groups", "gauge", "Groups that share an answer, in the newest cycle")
ANALYST_QUESTIONS = Metric("maemae_analyst_questions", "gauge", "Questions that began for them")
ANALYST_WAITING = Metric("maemae_analyst_waiting", "gauge", "Groups that wait for a place at a model now")
ANALYST_WAIT = Metric("maemae_analyst_longest_wait_seconds", "gauge", "The longest wait for a place in that cycle")
ANALYST_NO_TURN = Metric(
    "maemae_analyst_turns_missed_total", "counter", "Turns at a model that did not come within the time of an answer"
)
ANALYST_COST = Metric("maemae_analyst_cost_usd_total", "counter", "Cost in USD where prices are known", {"model": ()})

# --- the exchange
BUDGET = Metric(
    "maemae_request_budget_used_ratio", "gauge", "Share of an address' request budget used in 5 s", {"address": ()}
)
SILENCE = Metric(
    "maemae_request_silence_seconds", "gauge", "How long the exchange still wants silence; 0 = not", {"address": ()}
)
BLOCKED = Metric("maemae_address_blocked_total", "counter", "Times the exchange answered HTTP 403")
STRANGE = Metric("maemae_strange_answers_total", "counter", "Answers of the exchange with a code nobody knows")
CLOCK = Metric("maemae_clock_offset_seconds", "gauge", "How far our clock is certainly ahead of the worst other one")

# --- the platform
KILL_SWITCH = Metric("maemae_kill_switch_level", "gauge", "0 trading, 2 everybody's entries off, 3 closing everything")
UNPROVED = Metric(
    "maemae_kill_switch_unproved_seconds", "gauge", "How long the platform's thrown switch waits for its proof; 0 = not"
)
STOPPED = Metric("maemae_accounts_stopped", "gauge", "Active accounts whose own switch is thrown")
ACCOUNTS = Metric("maemae_accounts_active", "gauge", "Active accounts")
LOCKS = Metric("maemae_locks_held", "gauge", "Locks that hold, by kind", {"scope": ("account", "platform"), "kind": ()})
LEASE = Metric("maemae_lease_held", "gauge", "Whether a trader holds the lease")
EPOCH = Metric("maemae_lease_epoch", "gauge", "The lease's epoch: one more at every change of its holder")
WORKERS = Metric("maemae_workers_alive", "gauge", "Processes that share the accounts; 0 = one trader serves them all")
WORKERS_DEAD = Metric("maemae_workers_dead", "gauge", "Of those, ended within the hour without leaving, and not back")
UNOWNED = Metric("maemae_accounts_unowned", "gauge", "Active accounts no worker owns, where accounts are divided")
TRADER_AGE = Metric("maemae_trader_heartbeat_age_seconds", "gauge", "Since a trader's last sign of life")
OUTBOX = Metric("maemae_outbox_waiting", "gauge", "Notices to people that were not sent yet")
OUTBOX_AGE = Metric("maemae_outbox_oldest_seconds", "gauge", "Age of the oldest of those; 0 = none")
DIFFERENCE = Metric(
    "maemae_books_difference_usdt", "gauge", "The largest difference between books and exchange, without its sign"
)
DIFFERING = Metric("maemae_books_differing_accounts", "gauge", "Active accounts whose books differ from the exchange")

METRICS = tuple(value for value in tuple(globals().values()) if isinstance(value, Metric))

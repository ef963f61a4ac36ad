-- The rights of the web's own database user: all it needs, and nothing that opens a gate before real money.
-- Run as the database's administrator after `make migrate`, and again after an upgrade; give the web a DATABASE_URL of
-- this user, and every other process the one of before. A test runs these lines on a real server and tries both sides.
-- CREATE USER 'web'@'%' IDENTIFIED BY '…';

-- read alone: what a trader or a terminal writes
GRANT SELECT ON alembic_version TO web;
GRANT SELECT ON bots TO web;
GRANT SELECT ON cycles TO web;
GRANT SELECT ON models TO web;
GRANT SELECT ON model_calls TO web;
GRANT SELECT ON scores TO web;
GRANT SELECT ON orders TO web;
GRANT SELECT ON order_events TO web;
GRANT SELECT ON fills TO web;
GRANT SELECT ON transfers TO web;
GRANT SELECT ON equity_points TO web;
GRANT SELECT ON records TO web;
GRANT SELECT ON record_days TO web;
GRANT SELECT ON trade_logs TO web;
GRANT SELECT ON trader_lease TO web;
GRANT SELECT ON workers TO web;
GRANT SELECT ON account_leases TO web;
GRANT SELECT ON stop_moves TO web;
GRANT SELECT ON loans TO web;
GRANT SELECT ON system_settings TO web;
GRANT SELECT ON setting_changes TO web;
GRANT SELECT ON preflight_runs TO web;
GRANT SELECT ON real_caps TO web;
GRANT SELECT ON stretch_marks TO web;
GRANT SELECT ON past_answers TO web;

-- whose account it is, where, and what its books say is written once, or by the trader
GRANT SELECT, INSERT ON accounts TO web;
GRANT UPDATE (symbol_no, active, trading_enabled, flatten, paused_by, owner_stop, pause_reason, key_version, doubts, switched_ms, proven_ms, peak_equity, loss_streak) ON accounts TO web;
GRANT SELECT, INSERT ON account_symbols TO web;
GRANT UPDATE (traded, changed_ms) ON account_symbols TO web;
GRANT SELECT, INSERT ON symbols TO web;
GRANT SELECT, INSERT, UPDATE ON credentials TO web;
GRANT SELECT, INSERT ON real_consents TO web;
GRANT UPDATE (withdrawn_ms) ON real_consents TO web;
GRANT SELECT, INSERT ON stretches TO web;
GRANT SELECT, INSERT ON stretch_overrides TO web;
GRANT SELECT, INSERT ON demo_overrides TO web;

-- switches and locks
GRANT SELECT, UPDATE ON system_flags TO web;
GRANT SELECT, UPDATE ON risk_locks TO web;
GRANT SELECT, UPDATE ON platform_locks TO web;
GRANT SELECT, INSERT, UPDATE ON operator_acts TO web;
GRANT SELECT, INSERT, UPDATE ON commands TO web;
-- an operator who leaves takes the role along; nobody gets one here
GRANT SELECT, DELETE ON operators TO web;

-- people: what is theirs, and theirs to delete
GRANT SELECT, INSERT, UPDATE ON users TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON api_tokens TO web;
GRANT SELECT, INSERT, DELETE ON audit_events TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON authenticators TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON channels TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON chats TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON deliveries TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON email_links TO web;
GRANT SELECT, INSERT, UPDATE ON invites TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON known_browsers TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON krw_rates TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON notice_choices TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON passkeys TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON recovery_codes TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON reset_links TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON throttles TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON own_models TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON strategies TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON strategy_versions TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON strategy_runs TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON strategy_shares TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON record_links TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON shadows TO web;
GRANT SELECT, DELETE ON shadow_calls TO web;
GRANT SELECT, INSERT, UPDATE, DELETE ON backtests TO web;

-- the arena: seasons are a terminal's, standings the notifier's; what somebody entered with is written once
GRANT SELECT ON arena_seasons TO web;
GRANT UPDATE (taken) ON arena_seasons TO web;
GRANT SELECT, INSERT, DELETE ON arena_entries TO web;
GRANT UPDATE (name, name_key, left_ms) ON arena_entries TO web;
GRANT SELECT, DELETE ON arena_standings TO web;

GRANT SELECT, DELETE ON past_questions TO web;
GRANT SELECT, DELETE ON memory_tests TO web;

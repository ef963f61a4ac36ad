-- The whole database, MySQL 8 and MariaDB 10.6 or newer, readable top to bottom.
--
-- Migrations (db/migrations) are the truth for a deployed database; a test on a real server proves that they, the
-- SQLAlchemy models and this file make the same thing. By hand: load this file into an empty database, then run
-- `alembic -x url=... stamp head`.
--
-- Money is DECIMAL(36,18) in USDT or base units. Columns ending in _ms (and signed_ts) are epoch milliseconds;
-- DATETIME(3) is UTC: connect with time_zone = '+00:00'. Identifiers are ascii_bin and names by
-- which something is found utf8mb4_bin, so that they compare byte by byte.


-- ------ People ------------------------------------------------------------------------------------------------------

-- A person and their settings. The first eleven columns are the first design's; its two key columns stay NULL for ever:
-- exchange keys live sealed in `credentials`.
CREATE TABLE users (
    id BIGINT NOT NULL AUTO_INCREMENT,
    email VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    password_hash VARCHAR(255) NOT NULL,
    bybit_api_key TEXT,  -- always NULL
    bybit_api_secret TEXT,  -- always NULL
    max_leverage INT NOT NULL DEFAULT 10,
    auto_trade_enabled BOOL NOT NULL DEFAULT 0,
    risk_level ENUM('low','medium','high') NOT NULL DEFAULT 'medium',
    custom_prompt TEXT,
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    updated_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
    risk_per_trade DECIMAL(36, 18),  -- fraction of equity; NULL = the level's
    min_confidence DECIMAL(36, 18),  -- 0..1; NULL = the level's
    long_only BOOL NOT NULL DEFAULT 0,
    limits JSON,  -- hard caps by name, as strings
    settings_version BIGINT NOT NULL DEFAULT 1,  -- an order planned under another version is not sent
    auto_trade_since_ms BIGINT NOT NULL DEFAULT 0,  -- epoch ms; trading begins with the next T
    is_demo BOOL NOT NULL DEFAULT 0,
    locale VARCHAR(8) NOT NULL DEFAULT 'ko',
    deleted_at DATETIME(3),
    risk_accepted_ms BIGINT NOT NULL DEFAULT 0,  -- epoch ms; when they said that money can be lost
    colours VARCHAR(16) NOT NULL DEFAULT 'language',  -- of a rise: red_up, green_up, or as the language has it
    is_guest BOOL NOT NULL DEFAULT 0,  -- no password; ends with the last session
    time_zone VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',  -- of the pages; '' = as the language has it
    theme VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'system',  -- or light, dark
    numbers VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'point',  -- of the pages: 1,234.5; or comma, space
    system_text TEXT,  -- how the analyst is to trade, by the strategy that runs; NULL = the first design's words
    cadence_min INT NOT NULL DEFAULT 5,  -- minutes between two decisions: 5, 15 or 60
    strategy_version_id BIGINT,  -- the row of strategy_versions that runs; NULL = the first design as it is
    inputs VARCHAR(400) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',  -- blocks shown beside the candles, by name
    models VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',  -- which models are asked, in order, with commas; '' = the environment's
    answer_version INT NOT NULL DEFAULT 1,  -- what the analyst may answer; 1 = buy, sell and hold as designed first
    exits VARCHAR(160) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',  -- rules of exits as JSON; '' = none
    PRIMARY KEY (id),
    CONSTRAINT uq_users_email UNIQUE (email),
    CONSTRAINT ck_users_keys_are_sealed_elsewhere CHECK (bybit_api_key IS NULL AND bybit_api_secret IS NULL),
    INDEX ix_users_is_guest_deleted_at (is_guest, deleted_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Named values that change at run time: what an operator set (platform:...), what was learnt of an analyst (analyst:...).
CREATE TABLE system_settings (
    id BIGINT NOT NULL AUTO_INCREMENT,
    setting_key VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    setting_value TEXT,
    updated_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
    PRIMARY KEY (id),
    CONSTRAINT uq_system_settings_setting_key UNIQUE (setting_key)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Who changed which platform setting, and when. Appended to, never changed.
CREATE TABLE setting_changes (
    id BIGINT NOT NULL AUTO_INCREMENT,
    setting_key VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    before_value TEXT,  -- NULL = there was no row
    after_value TEXT,  -- NULL = the row was taken away
    changed_by VARCHAR(255) NOT NULL,
    why VARCHAR(500) NOT NULL DEFAULT '',
    changed_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Invitations to register, each good once and until expires_ms. A code is never stored, only its sha256.
CREATE TABLE invites (
    id BIGINT NOT NULL AUTO_INCREMENT,
    code_sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    made_by VARCHAR(255) NOT NULL,
    made_ms BIGINT NOT NULL DEFAULT 0,
    expires_ms BIGINT NOT NULL DEFAULT 0,
    used_ms BIGINT NOT NULL DEFAULT 0,  -- 0 = not used
    used_by BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT uq_invites_code_sha256 UNIQUE (code_sha256),
    CONSTRAINT fk_invites_used_by FOREIGN KEY (used_by) REFERENCES users (id),
    INDEX ix_invites_used_by (used_by)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- symbol_no stands for a symbol inside order_link_ids, for ever.
CREATE TABLE symbols (
    symbol_no INT NOT NULL AUTO_INCREMENT,
    symbol VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    PRIMARY KEY (symbol_no),
    CONSTRAINT uq_symbols_symbol UNIQUE (symbol)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- One person's exchange account on one venue, its switches, and the running books its fills add up to:
-- balance = start_balance + realised - fees + funding + transfers, exactly.
CREATE TABLE accounts (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    venue ENUM('paper','demo','testnet','mainnet') NOT NULL,
    feed VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,  -- where its candles come from
    uid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- the venue's own id of the account
    symbol_no INT NOT NULL,  -- of its symbols, the one shown first
    active BOOL NOT NULL DEFAULT 1,  -- one per person
    trading_enabled BOOL NOT NULL DEFAULT 1,
    flatten BOOL NOT NULL DEFAULT 0,
    pause_reason VARCHAR(500) NOT NULL DEFAULT '',
    key_version BIGINT NOT NULL DEFAULT 1,
    start_balance DECIMAL(36, 18) NOT NULL,
    realised DECIMAL(36, 18) NOT NULL,
    fees DECIMAL(36, 18) NOT NULL,
    funding DECIMAL(36, 18) NOT NULL,  -- positive = received
    peak_equity DECIMAL(36, 18) NOT NULL,
    loss_streak INT NOT NULL DEFAULT 0,  -- losing round trips in a row on the UTC day of last_round_ms
    last_round_ms BIGINT NOT NULL DEFAULT 0,
    last_stop_ms BIGINT NOT NULL DEFAULT 0,
    opened_ms BIGINT NOT NULL DEFAULT 0,  -- when our books began; executions before it are not ours
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    transfers DECIMAL(36, 18) NOT NULL DEFAULT 0,  -- paid in less paid out since opened_ms
    last_transfer_ms BIGINT NOT NULL DEFAULT 0,
    switched_ms BIGINT NOT NULL DEFAULT 0,  -- when a switch of this account or its person was last thrown
    proven_ms BIGINT NOT NULL DEFAULT 0,  -- when it was last proved stopped after that; 0 = not yet
    tokens_day BIGINT NOT NULL DEFAULT 0,  -- days since 1970-01-01: the newest UTC day it was decided for
    tokens_spent BIGINT NOT NULL DEFAULT 0,  -- analyst tokens behind its decisions of that day
    paused_by VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',  -- who switched trading off: owner, operator (alone may resume) or system
    difference DECIMAL(36, 18) NOT NULL DEFAULT 0,  -- wallet less books at checked_ms, less what of it was explained since
    checked_ms BIGINT NOT NULL DEFAULT 0,  -- T of the newest equity point
    doubts VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',  -- what the venue did not tell or set, of demo alone: uid, rights, cross_margin
    rounds_won BIGINT NOT NULL DEFAULT 0,  -- finished round trips that brought something
    rounds_lost BIGINT NOT NULL DEFAULT 0,
    owner_stop VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',  -- what its owner has stopped under an operator's stop: pause, close
    PRIMARY KEY (id),
    CONSTRAINT uq_accounts_venue_feed_uid UNIQUE (venue, feed, uid),
    CONSTRAINT fk_accounts_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk_accounts_symbol_no FOREIGN KEY (symbol_no) REFERENCES symbols (symbol_no),
    INDEX ix_accounts_symbol_no (symbol_no),
    INDEX ix_accounts_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- The symbols an account trades or traded, with what is a position's of its books.
CREATE TABLE account_symbols (
    account_id BIGINT NOT NULL,
    symbol_no INT NOT NULL,
    traded BOOL NOT NULL DEFAULT 1,  -- 0 = taken off by its owner: no entries, guarded until nothing of ours is open
    changed_ms BIGINT NOT NULL DEFAULT 0,
    position_qty DECIMAL(36, 18) NOT NULL,  -- signed: long > 0
    avg_entry_price DECIMAL(36, 18) NOT NULL,
    round_result DECIMAL(36, 18) NOT NULL,  -- realised less closing fees since the position was last flat
    last_fill_ms BIGINT NOT NULL DEFAULT 0,
    liquidation DECIMAL(36, 18),  -- where the venue would liquidate position_qty, 0 = nowhere; NULL = not told
    PRIMARY KEY (account_id, symbol_no),
    CONSTRAINT fk_account_symbols_account_id FOREIGN KEY (account_id) REFERENCES accounts (id),
    CONSTRAINT fk_account_symbols_symbol_no FOREIGN KEY (symbol_no) REFERENCES symbols (symbol_no),
    INDEX ix_account_symbols_symbol_no (symbol_no)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Exchange keys, sealed: only the trader can open them.
CREATE TABLE credentials (
    id BIGINT NOT NULL AUTO_INCREMENT,
    account_id BIGINT NOT NULL,
    key_version BIGINT NOT NULL DEFAULT 1,
    sealed TEXT NOT NULL,
    last4 VARCHAR(4) NOT NULL,
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    revoked_at DATETIME(3),
    PRIMARY KEY (id),
    CONSTRAINT uq_credentials_account_id_key_version UNIQUE (account_id, key_version),
    CONSTRAINT fk_credentials_account_id FOREIGN KEY (account_id) REFERENCES accounts (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- What the web asks the trader to do.
CREATE TABLE commands (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    account_id BIGINT,
    kind VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    args JSON,
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    taken_at DATETIME(3),
    done_at DATETIME(3),
    result VARCHAR(500) NOT NULL DEFAULT '',
    PRIMARY KEY (id),
    CONSTRAINT fk_commands_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk_commands_account_id FOREIGN KEY (account_id) REFERENCES accounts (id),
    INDEX ix_commands_account_id (account_id),
    INDEX ix_commands_done_at (done_at),
    INDEX ix_commands_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- The operator's role. Given and taken by `make control ARGS="operator grant|revoke E-MAIL"` alone: grant the web SELECT.
CREATE TABLE operators (
    user_id BIGINT NOT NULL,
    granted_by VARCHAR(255) NOT NULL,
    granted_ms BIGINT NOT NULL DEFAULT 0,
    revoked_by VARCHAR(255) NOT NULL DEFAULT '',
    revoked_ms BIGINT NOT NULL DEFAULT 0,  -- 0 = has the role
    PRIMARY KEY (user_id),
    CONSTRAINT fk_operators_user_id FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Every act of an operator on the web, stored before it is done. The trader carries out what only it may.
CREATE TABLE operator_acts (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT,  -- NULL = done on a terminal
    kind VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- stop, flatten, resume, unlock, invite, settle, setting, grant, revoke, reset_link
    account_id BIGINT,  -- NULL = the platform
    args JSON,  -- nothing secret
    origin VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',  -- the network of the session
    asked_ms BIGINT NOT NULL DEFAULT 0,
    taken_ms BIGINT NOT NULL DEFAULT 0,
    done_ms BIGINT NOT NULL DEFAULT 0,  -- 0 = not done
    result VARCHAR(500) NOT NULL DEFAULT '',
    who VARCHAR(255) NOT NULL DEFAULT '',  -- of a terminal: cli:user@host
    PRIMARY KEY (id),
    CONSTRAINT fk_operator_acts_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk_operator_acts_account_id FOREIGN KEY (account_id) REFERENCES accounts (id),
    INDEX ix_operator_acts_account_id (account_id),
    INDEX ix_operator_acts_kind_done_ms (kind, done_ms),
    INDEX ix_operator_acts_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Who is signed in. The token itself is in the browser only; closing a session deletes its row.
CREATE TABLE sessions (
    id BIGINT NOT NULL AUTO_INCREMENT,
    token_sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id BIGINT NOT NULL,
    read_only BOOL NOT NULL DEFAULT 0,
    ip VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
    user_agent VARCHAR(200) NOT NULL DEFAULT '',
    created_ms BIGINT NOT NULL DEFAULT 0,
    seen_ms BIGINT NOT NULL DEFAULT 0,
    proved_ms BIGINT NOT NULL DEFAULT 0,  -- when it last gave password or second factor; 0 = never
    PRIMARY KEY (id),
    CONSTRAINT uq_sessions_token_sha256 UNIQUE (token_sha256),
    CONSTRAINT fk_sessions_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    INDEX ix_sessions_seen_ms (seen_ms),
    INDEX ix_sessions_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Browsers somebody signed in with before: their tries are counted apart from strangers'.
CREATE TABLE known_browsers (
    token_sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id BIGINT NOT NULL,
    seen_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (token_sha256),
    CONSTRAINT fk_known_browsers_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    INDEX ix_known_browsers_seen_ms (seen_ms),
    INDEX ix_known_browsers_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- How many tries still count (weight at at_ms, halving with time): sign-in by person and address, new people by address.
CREATE TABLE throttles (
    tally_key VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    weight DOUBLE NOT NULL DEFAULT 0,
    at_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tally_key),
    INDEX ix_throttles_at_ms (at_ms)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- The authenticator of a person's second factor: its secret locked with WEB_SECRET, and the newest step that was used.
CREATE TABLE authenticators (
    user_id BIGINT NOT NULL,
    sealed VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    last_step BIGINT NOT NULL DEFAULT 0,  -- of thirty seconds since 1970; its code and every older one is used up
    confirmed BOOL NOT NULL DEFAULT 0,  -- 0 = scanned perhaps, not asked for yet
    PRIMARY KEY (user_id),
    CONSTRAINT fk_authenticators_user_id FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- For who lost the authenticator: each good once. A code is never stored, only its sha256.
CREATE TABLE recovery_codes (
    user_id BIGINT NOT NULL,
    code_sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    used_ms BIGINT NOT NULL DEFAULT 0,  -- 0 = not used
    PRIMARY KEY (user_id, code_sha256),
    CONSTRAINT fk_recovery_codes_user_id FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Public keys of people's passkeys. The private half never leaves its device.
CREATE TABLE passkeys (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    credential_sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    credential_id TEXT NOT NULL,  -- base64url, as the device names it
    public_key TEXT NOT NULL,  -- base64url, COSE
    sign_count BIGINT NOT NULL DEFAULT 0,  -- what the device last counted; 0 = it does not
    name VARCHAR(60) NOT NULL,
    created_ms BIGINT NOT NULL DEFAULT 0,
    used_ms BIGINT NOT NULL DEFAULT 0,  -- 0 = never
    PRIMARY KEY (id),
    CONSTRAINT uq_passkeys_credential_sha256 UNIQUE (credential_sha256),
    CONSTRAINT fk_passkeys_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    INDEX ix_passkeys_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- The newest unused link of a person to a new password. The token itself is in a letter or on a terminal only.
CREATE TABLE reset_links (
    token_sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL DEFAULT 0,
    drops_factor BOOL NOT NULL DEFAULT 0,  -- using it takes the second factor off too
    PRIMARY KEY (token_sha256),
    CONSTRAINT fk_reset_links_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    INDEX ix_reset_links_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- The newest unused link by which a person's e-mail becomes another. The token itself is in a letter only.
CREATE TABLE email_links (
    user_id BIGINT NOT NULL,
    token_sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    email VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    expires_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id),
    CONSTRAINT uq_email_links_token_sha256 UNIQUE (token_sha256),
    CONSTRAINT fk_email_links_user_id FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Personal tokens of programs. A token is shown once and never stored, only its sha256.
CREATE TABLE api_tokens (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    token_sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(60) NOT NULL,
    scope VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- read, or control (which reads too)
    created_ms BIGINT NOT NULL DEFAULT 0,
    expires_ms BIGINT NOT NULL DEFAULT 0,
    used_ms BIGINT NOT NULL DEFAULT 0,  -- 0 = never
    PRIMARY KEY (id),
    CONSTRAINT uq_api_tokens_token_sha256 UNIQUE (token_sha256),
    CONSTRAINT fk_api_tokens_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    INDEX ix_api_tokens_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- What a person's account has been through, for its owner to read: written with the act it is about.
CREATE TABLE audit_events (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    at_ms BIGINT NOT NULL DEFAULT 0,
    event VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    detail VARCHAR(400) NOT NULL DEFAULT '',  -- four characters of a key, names of settings; never a secret
    actor VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- owner, stranger or operator
    network VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
    user_agent VARCHAR(200) NOT NULL DEFAULT '',
    PRIMARY KEY (id),
    CONSTRAINT fk_audit_events_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    INDEX ix_audit_events_at_ms (at_ms),
    INDEX ix_audit_events_user_id_id (user_id, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- A person's strategies; the one that was made of their settings has no name.
CREATE TABLE strategies (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    name VARCHAR(60) NOT NULL DEFAULT '',
    made_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    CONSTRAINT fk_strategies_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    INDEX ix_strategies_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Their versions: appended to, never changed.
CREATE TABLE strategy_versions (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    strategy_id BIGINT NOT NULL,
    number INT NOT NULL,  -- 1, 2, 3 … of this strategy
    content TEXT NOT NULL,  -- JSON text: model, words, blocks, symbols, cadence, risk, exits
    sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- of content, whoever wrote it
    made_ms BIGINT NOT NULL DEFAULT 0,  -- 0 = written before versions were kept
    PRIMARY KEY (id),
    CONSTRAINT uq_strategy_versions_strategy_id_number UNIQUE (strategy_id, number),
    CONSTRAINT fk_strategy_versions_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk_strategy_versions_strategy_id FOREIGN KEY (strategy_id) REFERENCES strategies (id),
    INDEX ix_strategy_versions_strategy_id_sha256 (strategy_id, sha256),
    INDEX ix_strategy_versions_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Which version a person's account ran from when on, until the next row.
CREATE TABLE strategy_runs (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    version_id BIGINT NOT NULL,
    from_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    CONSTRAINT fk_strategy_runs_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk_strategy_runs_version_id FOREIGN KEY (version_id) REFERENCES strategy_versions (id),
    INDEX ix_strategy_runs_user_id (user_id),
    INDEX ix_strategy_runs_version_id (version_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Versions that anybody signed in may open by their link. A code is never stored, only its sha256.
CREATE TABLE strategy_shares (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    version_id BIGINT NOT NULL,
    code_sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    shown_as VARCHAR(40) NOT NULL DEFAULT '',  -- all that is told of the owner
    made_ms BIGINT NOT NULL DEFAULT 0,
    revoked_ms BIGINT NOT NULL DEFAULT 0,  -- 0 = the link opens
    PRIMARY KEY (id),
    CONSTRAINT uq_strategy_shares_code_sha256 UNIQUE (code_sha256),
    CONSTRAINT fk_strategy_shares_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk_strategy_shares_version_id FOREIGN KEY (version_id) REFERENCES strategy_versions (id),
    INDEX ix_strategy_shares_user_id (user_id),
    INDEX ix_strategy_shares_version_id (version_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- A person's own won for one USDT, each from a UTC date on, until the day of the next.
CREATE TABLE krw_rates (
    user_id BIGINT NOT NULL,
    day VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- YYYY-MM-DD, UTC
    rate DECIMAL(36, 18) NOT NULL,
    PRIMARY KEY (user_id, day),
    CONSTRAINT fk_krw_rates_user_id FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- How a person wants to be told, and how far they have read.
CREATE TABLE notice_choices (
    user_id BIGINT NOT NULL,
    seen_id BIGINT NOT NULL DEFAULT 0,
    switched JSON,  -- {kind: whether it is sent}, where that is not the usual
    quiet_from INT,  -- minutes of the person's day; NULL = no quiet hours
    quiet_until INT,
    report_hour INT,  -- of the person's day; NULL = as usual
    PRIMARY KEY (user_id),
    CONSTRAINT fk_notice_choices_user_id FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- What people are to be told, each thing once; person 0 runs the platform. No foreign key: see lib/adapters/sql/ledger/telling.py
CREATE TABLE outbox (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    account_id BIGINT,
    kind VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    body TEXT NOT NULL,
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    sent_at DATETIME(3),  -- handed to the person's channels
    about VARCHAR(120) CHARACTER SET ascii COLLATE ascii_bin,  -- what it tells of; NULL = told before, or by itself
    PRIMARY KEY (id),
    CONSTRAINT uq_outbox_user_id_about UNIQUE (user_id, about),
    INDEX ix_outbox_account_id (account_id),
    INDEX ix_outbox_sent_at (sent_at),
    INDEX ix_outbox_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Where people are told besides the bell; person 0 runs the platform.
CREATE TABLE channels (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    service VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(40) NOT NULL DEFAULT '',
    sealed TEXT NOT NULL,  -- its address, for the notifier alone
    enabled BOOL NOT NULL DEFAULT 1,
    created_ms BIGINT NOT NULL DEFAULT 0,
    tested_ms BIGINT NOT NULL DEFAULT 0,
    sent_ms BIGINT NOT NULL DEFAULT 0,
    failures BIGINT NOT NULL DEFAULT 0,  -- in a row
    again_ms BIGINT NOT NULL DEFAULT 0,  -- left alone until then
    lease_ms BIGINT NOT NULL DEFAULT 0,  -- one sender has it until then
    PRIMARY KEY (id),
    INDEX ix_channels_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- What is still to be sent: a row goes when its channel has taken it.
CREATE TABLE deliveries (
    id BIGINT NOT NULL AUTO_INCREMENT,
    channel_id BIGINT NOT NULL,
    outbox_id BIGINT NOT NULL,
    due_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    CONSTRAINT uq_deliveries_channel_id_outbox_id UNIQUE (channel_id, outbox_id),
    INDEX ix_deliveries_due_ms (due_ms)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- A person's chat with the platform's bot, or the code that will bind one.
CREATE TABLE chats (
    user_id BIGINT NOT NULL,
    chat_id BIGINT,
    bound_ms BIGINT NOT NULL DEFAULT 0,
    code_sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,  -- used once
    code_until_ms BIGINT NOT NULL DEFAULT 0,
    close_until_ms BIGINT NOT NULL DEFAULT 0,  -- waits for the second factor until then
    awaits_ms BIGINT NOT NULL DEFAULT 0,  -- when everything was last closed from it
    told_ms BIGINT NOT NULL DEFAULT 0,  -- when that was told to be proved; 0 = not yet
    PRIMARY KEY (user_id),
    CONSTRAINT uq_chats_chat_id UNIQUE (chat_id),
    CONSTRAINT uq_chats_code_sha256 UNIQUE (code_sha256)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- The platform's bots; the newest seen is the present one.
CREATE TABLE bots (
    bot_id BIGINT NOT NULL,
    name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    next_update BIGINT NOT NULL DEFAULT 0,  -- messages before are taken
    seen_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (bot_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- ------ The way to real money ------------------------------------------------------------------------------------------

-- What preflights found; only a terminal writes here.
CREATE TABLE preflight_runs (
    id BIGINT NOT NULL AUTO_INCREMENT,
    venue ENUM('paper','demo','testnet','mainnet') NOT NULL,
    uid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    host VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    version VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    symbol VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    started_ms BIGINT NOT NULL DEFAULT 0,
    cards JSON NOT NULL,  -- name: whether it passed
    evidence VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- a file on the operator's machine
    orders_passed BOOL NOT NULL DEFAULT 0,  -- every order card passed: by this a canary is found
    PRIMARY KEY (id),
    INDEX ix_preflight_runs_venue_uid (venue, uid)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- What an operator wrote down for a week of real money; only a terminal writes here, and the newest row holds.
CREATE TABLE real_caps (
    id BIGINT NOT NULL AUTO_INCREMENT,
    accounts INT NOT NULL,
    equity DECIMAL(36, 18) NOT NULL,
    positions INT NOT NULL,
    a_day DECIMAL(36, 18) NOT NULL,
    who VARCHAR(255) NOT NULL,
    written_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- A person's consent to trade real money with one key of one account.
CREATE TABLE real_consents (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    key_version BIGINT NOT NULL DEFAULT 0,
    given_ms BIGINT NOT NULL DEFAULT 0,
    withdrawn_ms BIGINT NOT NULL DEFAULT 0,  -- 0 = it stands
    PRIMARY KEY (id),
    CONSTRAINT fk_real_consents_account_id FOREIGN KEY (account_id) REFERENCES accounts (id),
    CONSTRAINT fk_real_consents_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    INDEX ix_real_consents_account_id (account_id),
    INDEX ix_real_consents_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- What one account did under one version of a strategy; version_id and number 0 = before anything was chosen.
CREATE TABLE records (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    version_id BIGINT NOT NULL DEFAULT 0,  -- of strategy_versions, which go with their person
    number INT NOT NULL,
    sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- of the version's content
    PRIMARY KEY (id),
    CONSTRAINT uq_records_account_id_version_id UNIQUE (account_id, version_id),
    CONSTRAINT fk_records_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk_records_account_id FOREIGN KEY (account_id) REFERENCES accounts (id),
    INDEX ix_records_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Its sealed UTC days: appended to, never changed. What they hold and how they are hashed: lib/domain/record.py
CREATE TABLE record_days (
    record_id BIGINT NOT NULL,
    day INT NOT NULL,  -- days since 1970-01-01
    leaves INT NOT NULL,
    decisions INT NOT NULL,  -- of the leaves
    root VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    head VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- covers the head before it
    closing_index VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',  -- '' = no equity point yet
    sealed_ms BIGINT NOT NULL DEFAULT 0,
    packed MEDIUMTEXT NOT NULL,  -- base64 of zlib of the leaves, with the amounts behind equity points
    PRIMARY KEY (record_id, day),
    CONSTRAINT fk_record_days_record_id FOREIGN KEY (record_id) REFERENCES records (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Links that show a record to anybody. A code is never stored, only its sha256.
CREATE TABLE record_links (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    record_id BIGINT NOT NULL,
    code_sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    named BOOL NOT NULL DEFAULT 0,  -- shows the strategy's name
    amounts BOOL NOT NULL DEFAULT 0,  -- shows balances and transfers
    made_ms BIGINT NOT NULL DEFAULT 0,
    revoked_ms BIGINT NOT NULL DEFAULT 0,  -- 0 = the link opens
    PRIMARY KEY (id),
    CONSTRAINT uq_record_links_code_sha256 UNIQUE (code_sha256),
    CONSTRAINT fk_record_links_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk_record_links_record_id FOREIGN KEY (record_id) REFERENCES records (id),
    INDEX ix_record_links_record_id (record_id),
    INDEX ix_record_links_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- What people asked of the past, how far it is, what came of it. A hidden one has no result and still counts as a try.
CREATE TABLE backtests (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    feed VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    symbol VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    since_ms BIGINT NOT NULL DEFAULT 0,
    until_ms BIGINT NOT NULL DEFAULT 0,
    content_key VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- the same question, the same key
    wish TEXT NOT NULL,  -- JSON: lib/domain/backtests.py
    state ENUM('queued', 'running', 'done', 'cancelled', 'failed') NOT NULL,
    why VARCHAR(500),  -- why it failed
    attempts BIGINT NOT NULL DEFAULT 0,  -- how often a worker has begun
    done BIGINT NOT NULL DEFAULT 0,
    whole BIGINT NOT NULL DEFAULT 0,
    asked_ms BIGINT NOT NULL DEFAULT 0,
    started_ms BIGINT NOT NULL DEFAULT 0,
    beat_ms BIGINT NOT NULL DEFAULT 0,  -- when its worker was last heard of
    cancel_ms BIGINT NOT NULL DEFAULT 0,  -- when its person wanted it no more; 0 = it is wanted
    ended_ms BIGINT NOT NULL DEFAULT 0,
    hidden_ms BIGINT NOT NULL DEFAULT 0,  -- when its person deleted it; 0 = it is seen
    earned DECIMAL(36,18),  -- a fraction of the start
    result MEDIUMTEXT,  -- base64 of zlib of JSON
    code_sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,  -- of the link that shows it, NULL = none does
    stage VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',  -- of one that asks a model
    calls BIGINT NOT NULL DEFAULT 0,  -- that it made
    usd DECIMAL(36,18) NOT NULL DEFAULT 0,  -- that they cost, or may
    stamp TEXT,  -- JSON: who was asked, until when that model learnt
    PRIMARY KEY (id),
    CONSTRAINT uq_backtests_code_sha256 UNIQUE (code_sha256),
    CONSTRAINT fk_backtests_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    INDEX ix_backtests_content_key (content_key),
    INDEX ix_backtests_state (state),
    INDEX ix_backtests_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Answers of models about the past, each paid for once: known by who was asked and every word. Written by the trader alone.
CREATE TABLE past_answers (
    id BIGINT NOT NULL AUTO_INCREMENT,
    key_sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id BIGINT NOT NULL,  -- who asked first
    owner_id BIGINT NOT NULL DEFAULT 0,  -- who pays; 0 = the operator
    name VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- of the model, on the list
    state VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- asked, answered, failed
    decision JSON,
    tokens BIGINT NOT NULL DEFAULT 0,
    calls BIGINT NOT NULL DEFAULT 0,
    unpriced BIGINT NOT NULL DEFAULT 0,  -- calls whose price nobody knows
    usd DECIMAL(36,18) NOT NULL DEFAULT 0,
    reserved_usd DECIMAL(36,18) NOT NULL DEFAULT 0,  -- what the call under way may cost
    asked_ms BIGINT NOT NULL DEFAULT 0,
    used_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    CONSTRAINT uq_past_answers_key_sha256 UNIQUE (key_sha256),
    CONSTRAINT fk_past_answers_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    INDEX ix_past_answers_asked_ms (asked_ms),
    INDEX ix_past_answers_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- What a backtest asks a model, until it is over.
CREATE TABLE past_questions (
    job_id BIGINT NOT NULL,  -- of backtests
    seq BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    t_ms BIGINT NOT NULL DEFAULT 0,
    again BIGINT NOT NULL DEFAULT 0,  -- which repeat of one question
    version BIGINT NOT NULL DEFAULT 1,  -- of the answer
    prompt TEXT NOT NULL,  -- base64 of zlib of JSON
    answer_id BIGINT,
    tries BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (job_id, seq),
    CONSTRAINT fk_past_questions_job_id FOREIGN KEY (job_id) REFERENCES backtests (id),
    CONSTRAINT fk_past_questions_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk_past_questions_answer_id FOREIGN KEY (answer_id) REFERENCES past_answers (id),
    INDEX ix_past_questions_answer_id (answer_id),
    INDEX ix_past_questions_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Whether a model reads the market or remembers it: the newest test of a version x model.
CREATE TABLE memory_tests (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    version_id BIGINT NOT NULL DEFAULT 0,  -- 0 = the original design
    model VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
    asked VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',  -- the provider's name of it then
    tested_ms BIGINT NOT NULL DEFAULT 0,
    windows BIGINT NOT NULL DEFAULT 0,
    badges TEXT NOT NULL,  -- JSON: reasons
    PRIMARY KEY (id),
    CONSTRAINT uq_memory_tests_user_id_version_id_model UNIQUE (user_id, version_id, model),
    CONSTRAINT fk_memory_tests_user_id FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Stretches of evidence before real money: what a person asked for. The web may read and insert.
CREATE TABLE stretches (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    version_id BIGINT NOT NULL DEFAULT 0,  -- of strategy_versions, which go with their person; 0 = the original design
    criteria TEXT NOT NULL,  -- JSON: lib/domain/stretch.py
    asked_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    CONSTRAINT fk_stretches_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk_stretches_account_id FOREIGN KEY (account_id) REFERENCES accounts (id),
    INDEX ix_stretches_account_id (account_id),
    INDEX ix_stretches_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- When one was sealed, and what it had shown when it was over: written by who judges, never by the web.
CREATE TABLE stretch_marks (
    id BIGINT NOT NULL AUTO_INCREMENT,
    stretch_id BIGINT NOT NULL,
    kind ENUM('begun', 'ended') NOT NULL,
    at_ms BIGINT NOT NULL DEFAULT 0,
    seal VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    measured TEXT,  -- JSON, of the end
    PRIMARY KEY (id),
    CONSTRAINT uq_stretch_marks_stretch_id_kind UNIQUE (stretch_id, kind),
    CONSTRAINT fk_stretch_marks_stretch_id FOREIGN KEY (stretch_id) REFERENCES stretches (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- A person's act: real money without the evidence, for a week.
CREATE TABLE stretch_overrides (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    stretch_id BIGINT NOT NULL,
    given_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    CONSTRAINT fk_stretch_overrides_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk_stretch_overrides_stretch_id FOREIGN KEY (stretch_id) REFERENCES stretches (id),
    INDEX ix_stretch_overrides_stretch_id (stretch_id),
    INDEX ix_stretch_overrides_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- A person's act: demo trading without the evidence of paper, for a week.
CREATE TABLE demo_overrides (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    version_id BIGINT NOT NULL DEFAULT 0,  -- 0 = the original design
    given_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    CONSTRAINT fk_demo_overrides_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk_demo_overrides_account_id FOREIGN KEY (account_id) REFERENCES accounts (id),
    INDEX ix_demo_overrides_account_id (account_id),
    INDEX ix_demo_overrides_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- ------ The arena -----------------------------------------------------------------------------------------------------

-- A season: begun, sealed and ended by a terminal.
CREATE TABLE arena_seasons (
    id BIGINT NOT NULL AUTO_INCREMENT,
    begun_ms BIGINT NOT NULL DEFAULT 0,
    rules TEXT NOT NULL,  -- JSON, with the way of judging
    seal VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- sha256 of the two above
    ended_ms BIGINT NOT NULL DEFAULT 0,  -- 0 = nobody ended it early
    taken BIGINT NOT NULL DEFAULT 0,  -- every entry ever, those of deleted people too
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Who competes, by a name of their choice.
CREATE TABLE arena_entries (
    id BIGINT NOT NULL AUTO_INCREMENT,
    season_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    version_id BIGINT NOT NULL DEFAULT 0,  -- 0 = the original design
    content_sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- what the version says
    model VARCHAR(100) NOT NULL,
    place INT NOT NULL,
    name VARCHAR(24) NOT NULL,
    name_key VARCHAR(24) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,  -- stays taken when its person leaves
    house BOOL NOT NULL DEFAULT 0,
    entered_ms BIGINT NOT NULL DEFAULT 0,
    left_ms BIGINT NOT NULL DEFAULT 0,  -- 0 = it is shown
    PRIMARY KEY (id),
    CONSTRAINT fk_arena_entries_season_id FOREIGN KEY (season_id) REFERENCES arena_seasons (id),
    CONSTRAINT fk_arena_entries_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT uq_arena_entries_season_id_name_key UNIQUE (season_id, name_key),
    INDEX ix_arena_entries_season_id_user_id (season_id, user_id),
    INDEX ix_arena_entries_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Where an entry stands, written by the notifier once a whole day.
CREATE TABLE arena_standings (
    entry_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    figures TEXT NOT NULL,
    kept_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (entry_id),
    CONSTRAINT fk_arena_standings_entry_id FOREIGN KEY (entry_id) REFERENCES arena_entries (id),
    CONSTRAINT fk_arena_standings_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    INDEX ix_arena_standings_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- ------ Switches: one row each, made here ---------------------------------------------------------------------------

-- The platform's kill switch.
CREATE TABLE system_flags (
    id INT NOT NULL,
    trading_enabled BOOL NOT NULL DEFAULT 1,
    flatten BOOL NOT NULL DEFAULT 0,
    changed_by VARCHAR(255) NOT NULL DEFAULT '',
    changed_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
    version BIGINT NOT NULL DEFAULT 1,
    switched_ms BIGINT NOT NULL DEFAULT 0,  -- when a switch was last thrown
    proven_ms BIGINT NOT NULL DEFAULT 0,  -- when everything was last proved stopped after that; 0 = not yet
    why VARCHAR(500) NOT NULL DEFAULT '',
    restored_ms BIGINT NOT NULL DEFAULT 0,  -- the moment of the backup this database last came back from; 0 = from none
    PRIMARY KEY (id),
    CONSTRAINT ck_system_flags_one_row CHECK (id = 1)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

INSERT INTO system_flags (id) VALUES (1);

-- Which process trades; epoch counts take-overs.
CREATE TABLE trader_lease (
    id INT NOT NULL,
    holder VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
    epoch BIGINT NOT NULL DEFAULT 0,
    expires_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    CONSTRAINT ck_trader_lease_one_row CHECK (id = 1)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

INSERT INTO trader_lease (id) VALUES (1);

-- Processes among which accounts are divided; the row without a holder is locked to take turns.
CREATE TABLE workers (
    holder VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    address VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',  -- whose request budget it uses
    capacity BIGINT NOT NULL DEFAULT 0,
    seen_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (holder)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Which of them owns an account; epoch counts the changes. No foreign key: its lock would hold up plans and bookings.
CREATE TABLE account_leases (
    account_id BIGINT NOT NULL,
    holder VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
    epoch BIGINT NOT NULL DEFAULT 0,
    until_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id),
    INDEX ix_account_leases_holder (holder)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- What of the platform's limits each of them may use until then.
CREATE TABLE loans (
    id BIGINT NOT NULL AUTO_INCREMENT,
    pool VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    holder VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    entries BIGINT NOT NULL DEFAULT 0,
    exposure DECIMAL(36, 18) NOT NULL,
    until_ms BIGINT NOT NULL DEFAULT 0,
    made_entries BIGINT NOT NULL DEFAULT 0,  -- what the holder had reserved since it began, when it was lent this
    made_exposure DECIMAL(36, 18) NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    INDEX ix_loans_until_ms (until_ms)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- ------ Models that may be asked ------------------------------------------------------------------------------------

-- The operator's list, written on a terminal alone. The environment's own model (OPENAI_*) is none of its rows.
CREATE TABLE models (
    id BIGINT NOT NULL AUTO_INCREMENT,
    name VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    shown VARCHAR(60) NOT NULL DEFAULT '',
    base_url VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
    model VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',  -- as the provider calls it
    input_usd DECIMAL(36, 18),  -- per million tokens; NULL = nobody said, which is not 0
    output_usd DECIMAL(36, 18),
    cached_usd DECIMAL(36, 18),
    day_usd DECIMAL(36, 18),  -- the most it may cost a UTC day; NULL = no cap of its own
    sealed TEXT NOT NULL,  -- the key, sealed for the trader; '' = asked without one
    last4 VARCHAR(4) NOT NULL DEFAULT '',
    key_version BIGINT NOT NULL DEFAULT 0,
    changed_ms BIGINT NOT NULL DEFAULT 0,
    offered BOOL NOT NULL DEFAULT 1,
    cutoff VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',  -- last day it learnt of; '' = not known
    PRIMARY KEY (id),
    UNIQUE INDEX uq_models_name (name)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- People's own models: asked for their owner's account and nobody else's.
CREATE TABLE own_models (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    name VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- own/…
    shown VARCHAR(60) NOT NULL DEFAULT '',
    base_url VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
    model VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',  -- as the provider calls it
    input_usd DECIMAL(36, 18),  -- per million tokens; NULL = nobody said, which is not 0
    output_usd DECIMAL(36, 18),
    cached_usd DECIMAL(36, 18),
    day_usd DECIMAL(36, 18),  -- the most it may cost a UTC day; NULL = no cap of its own
    sealed TEXT NOT NULL,  -- the key, sealed for the trader; '' = asked without one
    last4 VARCHAR(4) NOT NULL DEFAULT '',
    key_version BIGINT NOT NULL DEFAULT 0,
    changed_ms BIGINT NOT NULL DEFAULT 0,
    cutoff VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',  -- last day it learnt of; '' = not known
    PRIMARY KEY (id),
    UNIQUE INDEX uq_own_models_user_id_name (user_id, name),
    CONSTRAINT fk_own_models_user_id FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- ------ The order protocol ------------------------------------------------------------------------------------------

-- One analyst call per prompt group and T: prompt, candles and raw answer stored once. The first writer wins.
CREATE TABLE cycles (
    id BIGINT NOT NULL AUTO_INCREMENT,
    feed VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    symbol VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    interval_s INT NOT NULL,
    t_ms BIGINT NOT NULL,
    prompt_group VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- sha256 of everything that makes prompts equal
    state ENUM('decided','abstained','failed') NOT NULL,
    decision JSON NOT NULL,
    prompt TEXT NOT NULL,
    candles TEXT NOT NULL,
    raw_answer TEXT NOT NULL,
    model VARCHAR(100) NOT NULL,
    prompt_tokens INT NOT NULL,
    completion_tokens INT NOT NULL,
    latency_ms INT NOT NULL,
    cost_usd DECIMAL(36, 18),  -- NULL = not known
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    asked_for VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'exchange',  -- or paper, or guests alone
    archived BOOL NOT NULL DEFAULT 0,  -- prompt, all candles but the newest, and raw answer are in a file
    asked_sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',  -- of what the strategy asks: equal at every T
    sent_sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',  -- of prompt, byte for byte
    inputs TEXT,  -- each block beside the candles: its hash and tokens, or why it was left out; NULL = none
    PRIMARY KEY (id),
    CONSTRAINT uq_cycles_key UNIQUE (feed, symbol, t_ms, interval_s, prompt_group),
    INDEX ix_cycles_used (feed, t_ms, state, prompt_tokens, completion_tokens, cost_usd, asked_for),
    INDEX ix_cycles_asked (asked_sha256, t_ms)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Every question to a model, answered or not, in the order of its chain; *people* share its cost in equal parts.
CREATE TABLE model_calls (
    id BIGINT NOT NULL AUTO_INCREMENT,
    cycle_id BIGINT NOT NULL,
    asker VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- the process that asked
    seq SMALLINT NOT NULL,
    t_ms BIGINT NOT NULL DEFAULT 0,
    name VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- of the list
    owner_id BIGINT NOT NULL DEFAULT 0,  -- who pays: a person, 0 = the operator
    answered VARCHAR(100) NOT NULL DEFAULT '',  -- what the model calls itself
    state VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- decided, abstained, failed
    why VARCHAR(500) NOT NULL DEFAULT '',
    prompt_tokens BIGINT NOT NULL DEFAULT 0,
    completion_tokens BIGINT NOT NULL DEFAULT 0,
    cached_tokens BIGINT NOT NULL DEFAULT 0,  -- of the prompt's
    latency_ms BIGINT NOT NULL DEFAULT 0,
    cost_usd DECIMAL(36, 18),  -- NULL = no price is known
    people INT NOT NULL DEFAULT 1,
    shadow BOOL NOT NULL DEFAULT 0,  -- nobody trades by the answer
    PRIMARY KEY (id),
    UNIQUE INDEX uq_model_calls_cycle_id_asker_seq (cycle_id, asker, seq),
    INDEX ix_model_calls_t_ms_owner_id_name (t_ms, owner_id, name),
    CONSTRAINT fk_model_calls_cycle_id FOREIGN KEY (cycle_id) REFERENCES cycles (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- What each answer was worth, whoever followed it: written once per method, never changed. Fractions of the notional.
CREATE TABLE scores (
    cycle_id BIGINT NOT NULL,
    method SMALLINT NOT NULL,
    ended ENUM('nothing','no_entry','stop','target','liquidation','time') NOT NULL,  -- nothing = it entered nothing
    entered_ms BIGINT NOT NULL DEFAULT 0,
    closed_ms BIGINT NOT NULL DEFAULT 0,
    entry_price DECIMAL(36, 18) NOT NULL,
    exit_price DECIMAL(36, 18) NOT NULL,
    gross DECIMAL(36, 18) NOT NULL,
    fees DECIMAL(36, 18) NOT NULL,
    funding DECIMAL(36, 18) NOT NULL,
    cost_usd DECIMAL(36, 18),  -- one person's part of the calls; NULL = not known
    net DECIMAL(36, 18) NOT NULL,
    r_multiple DECIMAL(36, 18) NOT NULL,
    scored_ms BIGINT NOT NULL DEFAULT 0,
    long_net DECIMAL(36, 18),  -- what either side of the moment was worth before the call; NULL = method 1, which has neither
    short_net DECIMAL(36, 18),
    PRIMARY KEY (cycle_id, method),
    CONSTRAINT fk_scores_cycle_id FOREIGN KEY (cycle_id) REFERENCES cycles (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- What a person lets answer beside the version that trades: a version, a model or both, which never change.
CREATE TABLE shadows (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    version_id BIGINT,  -- NULL = the original design
    model VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',  -- '' = the version's own
    day_calls INT NOT NULL,
    day_usd DECIMAL(36, 18) NOT NULL,
    running BOOL NOT NULL DEFAULT 1,
    made_ms BIGINT NOT NULL DEFAULT 0,
    changed_ms BIGINT NOT NULL DEFAULT 0,  -- last started or stopped
    removed_ms BIGINT NOT NULL DEFAULT 0,  -- 0 = on the list
    PRIMARY KEY (id),
    CONSTRAINT fk_shadows_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk_shadows_version_id FOREIGN KEY (version_id) REFERENCES strategy_versions (id),
    INDEX ix_shadows_user_id (user_id),
    INDEX ix_shadows_version_id (version_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- One turn of a shadow, written before the question: its answer, and the trading version's about the same window.
CREATE TABLE shadow_calls (
    shadow_id BIGINT NOT NULL,
    symbol VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    t_ms BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    beside_id BIGINT,  -- cycles.id of the trading version's answer
    cycle_id BIGINT,  -- cycles.id of the shadow's
    state ENUM('asked','answered','dropped') NOT NULL,
    why VARCHAR(500) NOT NULL DEFAULT '',
    cost_usd DECIMAL(36, 18),  -- the person's part; NULL = no price is known
    shared BOOL NOT NULL DEFAULT 0,  -- the answer was there, asked for others
    PRIMARY KEY (shadow_id, symbol, t_ms),
    CONSTRAINT fk_shadow_calls_shadow_id FOREIGN KEY (shadow_id) REFERENCES shadows (id),
    CONSTRAINT fk_shadow_calls_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk_shadow_calls_account_id FOREIGN KEY (account_id) REFERENCES accounts (id),
    CONSTRAINT fk_shadow_calls_beside_id FOREIGN KEY (beside_id) REFERENCES cycles (id),
    CONSTRAINT fk_shadow_calls_cycle_id FOREIGN KEY (cycle_id) REFERENCES cycles (id),
    INDEX ix_shadow_calls_t_ms_shadow_id_state (t_ms, shadow_id, state),
    INDEX ix_shadow_calls_user_id_t_ms (user_id, t_ms),
    INDEX ix_shadow_calls_account_id (account_id),
    INDEX ix_shadow_calls_beside_id (beside_id),
    INDEX ix_shadow_calls_cycle_id (cycle_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- One row per request to the exchange, written before it is sent. States: see lib/domain/order.py.
CREATE TABLE orders (
    id BIGINT NOT NULL AUTO_INCREMENT,
    account_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    uid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    venue ENUM('paper','demo','testnet','mainnet') NOT NULL,
    symbol VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    t_ms BIGINT NOT NULL,  -- the five-minute boundary
    leg ENUM('e','x','g','f') NOT NULL,  -- e entry, x exit, g guardian, f flatten
    seq SMALLINT NOT NULL,
    order_link_id VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    state ENUM('PLANNED','SUBMITTING','ACCEPTED','UNKNOWN','FILLED','PARTIAL','CANCELLED','REJECTED','ABSENT','EXPIRED','BLOCKED','NEEDS_HUMAN') NOT NULL,
    side ENUM('buy','sell') NOT NULL,
    qty DECIMAL(36, 18),  -- NULL = sized after the exit before it
    limit_price DECIMAL(36, 18) NOT NULL,
    ref_price DECIMAL(36, 18) NOT NULL,
    stop_loss DECIMAL(36, 18) NOT NULL,
    take_profit DECIMAL(36, 18) NOT NULL,
    leverage INT NOT NULL,
    reduce_only BOOL NOT NULL DEFAULT 0,
    key_version BIGINT NOT NULL DEFAULT 0,
    settings_version BIGINT NOT NULL DEFAULT 0,
    attempts SMALLINT NOT NULL DEFAULT 0,  -- sends behind it; from 1 on only a query closes the row
    signed_ts BIGINT NOT NULL DEFAULT 0,  -- epoch ms inside the signed bytes
    body_sha256 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
    epoch BIGINT NOT NULL DEFAULT 0,  -- of the lease it was claimed under
    exchange_order_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
    filled_qty DECIMAL(36, 18) NOT NULL,
    avg_price DECIMAL(36, 18) NOT NULL,
    fee DECIMAL(36, 18) NOT NULL,
    last_code INT NOT NULL DEFAULT 0,
    why VARCHAR(500) NOT NULL DEFAULT '',
    created_ms BIGINT NOT NULL DEFAULT 0,
    updated_ms BIGINT NOT NULL DEFAULT 0,
    exits VARCHAR(160) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',  -- of an entry: its position's rules of exits, as JSON
    PRIMARY KEY (id),
    CONSTRAINT uq_orders_intent UNIQUE (account_id, symbol, t_ms, leg, seq),
    CONSTRAINT uq_orders_order_link_id UNIQUE (order_link_id),
    CONSTRAINT fk_orders_account_id FOREIGN KEY (account_id) REFERENCES accounts (id),
    CONSTRAINT fk_orders_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    INDEX ix_orders_account_id_t_ms (account_id, t_ms),
    INDEX ix_orders_sent (leg, t_ms, account_id, attempts),
    INDEX ix_orders_state (state),
    INDEX ix_orders_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Every transition, append-only, hash-chained per order. Grant the application no UPDATE and no DELETE here.
CREATE TABLE order_events (
    id BIGINT NOT NULL AUTO_INCREMENT,
    order_id BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    from_state VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    to_state VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    why VARCHAR(500) NOT NULL,
    code INT NOT NULL,
    prev_hash VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    hash VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_order_events_order_id_prev_hash UNIQUE (order_id, prev_hash),
    CONSTRAINT fk_order_events_order_id FOREIGN KEY (order_id) REFERENCES orders (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Where a position's stop was moved: written before the exchange is called; a repair's call stands at the entry's own T.
CREATE TABLE stop_moves (
    id BIGINT NOT NULL AUTO_INCREMENT,
    account_id BIGINT NOT NULL,
    symbol VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    entry_link VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- orders.order_link_id of the entry
    t_ms BIGINT NOT NULL,
    price DECIMAL(36, 18) NOT NULL,
    called_ms BIGINT NOT NULL DEFAULT 0,  -- what the newest call was signed with; 0 = never called
    settled_ms BIGINT NOT NULL DEFAULT 0,  -- when the effect was read back; 0 = to be put in force
    PRIMARY KEY (id),
    CONSTRAINT uq_stop_moves_entry_link_t_ms UNIQUE (entry_link, t_ms),
    CONSTRAINT fk_stop_moves_account_id FOREIGN KEY (account_id) REFERENCES accounts (id),
    INDEX ix_stop_moves_settled (settled_ms, account_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Entries off until until_ms, which ending it by hand (ended_by, ended_ms) moves to now; one row a kind and UTC day.
CREATE TABLE risk_locks (
    id BIGINT NOT NULL AUTO_INCREMENT,
    account_id BIGINT NOT NULL,
    utc_day INT NOT NULL,  -- days since 1970-01-01
    kind VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    until_ms BIGINT NOT NULL,
    why VARCHAR(500) NOT NULL,
    created_ms BIGINT NOT NULL,
    ended_by VARCHAR(255) NOT NULL DEFAULT '',
    ended_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    CONSTRAINT uq_risk_locks_account_id_utc_day_kind UNIQUE (account_id, utc_day, kind),
    CONSTRAINT fk_risk_locks_account_id FOREIGN KEY (account_id) REFERENCES accounts (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- The same for everybody. Whoever writes here holds the row of system_flags, which every claim reads first.
CREATE TABLE platform_locks (
    kind VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    until_ms BIGINT NOT NULL,
    why VARCHAR(500) NOT NULL,
    created_ms BIGINT NOT NULL,
    ended_by VARCHAR(255) NOT NULL DEFAULT '',
    ended_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (kind)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Every execution the exchange reported; fee is what it cost, negative when received (funding too).
CREATE TABLE fills (
    id BIGINT NOT NULL AUTO_INCREMENT,
    account_id BIGINT NOT NULL,
    order_id BIGINT,  -- NULL = not one of our orders (a stop's child, funding)
    exec_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    exchange_order_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    order_link_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    symbol VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    side ENUM('buy','sell') NOT NULL,
    qty DECIMAL(36, 18) NOT NULL,
    price DECIMAL(36, 18) NOT NULL,
    fee DECIMAL(36, 18) NOT NULL,  -- what left the USDT balance, taxes in USDT among it
    kind ENUM('trade','funding','liquidation','adl','other') NOT NULL,
    closed_qty DECIMAL(36, 18) NOT NULL,
    realised DECIMAL(36, 18) NOT NULL,
    is_stop BOOL NOT NULL DEFAULT 0,
    at_ms BIGINT NOT NULL,
    charges JSON,  -- taxes, and what another coin paid: kind, coin, amount, worth in USDT; NULL = a fee in USDT alone
    PRIMARY KEY (id),
    CONSTRAINT uq_fills_account_id_exec_id UNIQUE (account_id, exec_id),
    CONSTRAINT fk_fills_account_id FOREIGN KEY (account_id) REFERENCES accounts (id),
    CONSTRAINT fk_fills_order_id FOREIGN KEY (order_id) REFERENCES orders (id),
    INDEX ix_fills_account_id_at_ms (account_id, at_ms),
    INDEX ix_fills_order_id (order_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- USDT that came (positive) or went without a trade.
CREATE TABLE transfers (
    id BIGINT NOT NULL AUTO_INCREMENT,
    account_id BIGINT NOT NULL,
    transfer_id VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- the venue's
    kind ENUM('deposit','withdrawal','transfer','bonus','other') NOT NULL,
    amount DECIMAL(36, 18) NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_transfers_account_id_transfer_id UNIQUE (account_id, transfer_id),
    CONSTRAINT fk_transfers_account_id FOREIGN KEY (account_id) REFERENCES accounts (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- The exchange's wallet at T beside our books (difference = balance - books).
CREATE TABLE equity_points (
    account_id BIGINT NOT NULL,
    t_ms BIGINT NOT NULL,
    balance DECIMAL(36, 18) NOT NULL,
    equity DECIMAL(36, 18) NOT NULL,
    difference DECIMAL(36, 18) NOT NULL,
    transfers DECIMAL(36, 18) NOT NULL DEFAULT 0,  -- what our books had counted by then
    PRIMARY KEY (account_id, t_ms),
    CONSTRAINT fk_equity_points_account_id FOREIGN KEY (account_id) REFERENCES accounts (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- ------ What a person reads -----------------------------------------------------------------------------------------

-- One row per account and T. The first nine columns are the first design's.
CREATE TABLE trade_logs (
    id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    gpt_analysis JSON,
    action ENUM('buy','sell','hold','close','tighten'),
    leverage DECIMAL(5, 2),
    order_id VARCHAR(100),  -- the exchange's id
    status ENUM('success','failed','pending') NOT NULL,
    error_message TEXT,
    executed_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    account_id BIGINT NOT NULL,
    cycle_id BIGINT,
    t_ms BIGINT NOT NULL,
    symbol VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    planned_outcome ENUM('bought','sold','closed','kept','held','skipped','refused','failed','unresolved') NOT NULL,  -- what outcome becomes when every order ends as planned
    outcome ENUM('bought','sold','closed','kept','held','skipped','refused','failed','unresolved') NOT NULL,
    reason TEXT NOT NULL,
    confidence DECIMAL(36, 18),
    clamps JSON,
    PRIMARY KEY (id),
    CONSTRAINT uq_trade_logs_account_id_t_ms_symbol UNIQUE (account_id, t_ms, symbol),
    CONSTRAINT fk_trade_logs_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk_trade_logs_account_id FOREIGN KEY (account_id) REFERENCES accounts (id),
    CONSTRAINT fk_trade_logs_cycle_id FOREIGN KEY (cycle_id) REFERENCES cycles (id),
    INDEX ix_trade_logs_cycle_id (cycle_id),
    INDEX ix_trade_logs_user_id_executed_at (user_id, executed_at),
    INDEX ix_trade_logs_user_id_outcome_executed_at (user_id, outcome, executed_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

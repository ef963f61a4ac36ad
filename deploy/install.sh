#!/usr/bin/env bash
# Install or update Maemae on a plain Debian or Ubuntu server, from a checkout of the project, as root:
#   deploy/install.sh            users, /opt/maemae, a virtual environment, settings, units; starts nothing new
#   deploy/install.sh --start    and migrates, enables and (re)starts everything
# Running it again changes what changed and keeps settings and secrets. MySQL or MariaDB and Redis are yours to run: their
# addresses stand in /etc/maemae/database.env and redis.env. With DESTDIR=/somewhere it only lays out files there, as anybody.
set -euo pipefail
umask 077
start=""
case "${1:-}" in
"") ;;
--start) start=1 ;;
*)
	sed -n '2,6s/^# //p' "$0"
	exit 64
	;;
esac
here=$(cd "$(dirname "$0")/.." && pwd)
to=${DESTDIR:-}
home=$to/opt/maemae
settings=$to/etc/maemae
units=$to/etc/systemd/system
parts=(lib app services db docs deploy .streamlit streamlit_app.py alembic.ini requirements.txt README.md LICENSE)

say() { printf 'install: %s\n' "$*"; }

if [ -z "$to" ] && [ "$(id -u)" != 0 ]; then
	echo "install: run me as root" >&2
	exit 77
fi

people() { # a user each, so that none can read what another was told (maemae: the simulator)
	local user
	for user in maemae maemae-collector maemae-trader maemae-worker maemae-web maemae-notifier maemae-telegram maemae-archive maemae-preflight; do
		id "$user" >/dev/null 2>&1 || useradd --system --user-group --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin "$user"
	done
}

code() { # laid out beside the old one, then exchanged: a broken copy is never started
	local part
	rm -rf "$home/app.new"
	install -d -m 0755 "$home" "$home/app.new"
	for part in "${parts[@]}"; do
		[ ! -e "$here/$part" ] || tar -C "$here" --exclude=__pycache__ --exclude='deploy/secrets/[a-z]*' -cf - "$part" | tar -C "$home/app.new" --no-same-owner -xf -
	done
	chmod -R u=rwX,go=rX "$home/app.new"
	rm -rf "$home/app.old"
	[ ! -d "$home/app" ] || mv "$home/app" "$home/app.old"
	mv "$home/app.new" "$home/app"
}

environment() {
	local python stamp
	stamp=$(sha256sum <"$here/requirements.txt")
	[ "$(cat "$home/venv/requirements.sha256" 2>/dev/null)" != "$stamp" ] || return 0
	python=${PYTHON:-$(command -v python3.12 || command -v python3.13 || command -v python3.11 || command -v python3)}
	"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
		echo "install: Python 3.11 or newer is needed (apt install python3 python3-venv)" >&2
		exit 1
	}
	say "installing the requirements"
	"$python" -m venv "$home/venv"
	"$home/venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary=:all: --require-hashes -r "$here/requirements.txt"
	chmod -R u=rwX,go=rX "$home/venv"
	printf '%s\n' "$stamp" >"$home/venv/requirements.sha256"
}

file() { # NAME: keep what is there, else write standard input; root's alone either way
	if [ -e "$settings/$1" ]; then cat >/dev/null; else cat >"$settings/$1"; fi
	chmod 0600 "$settings/$1"
}

moved() { # NAME: what an older common.env says of it, which belongs into a file of its own now
	if [ -e "$settings/common.env" ]; then sed -n "/^$1=/p" "$settings/common.env"; fi
}

secret() { head -c 24 /dev/urandom | base64 | tr -d '/+=\n'; }

stores() { # their passwords are random, and what makes the stores ask for them stands beside
	local database redis word
	if [ ! -e "$settings/database.env" ]; then
		database=$(moved DATABASE_URL)
		word=$(secret)
		file database.env <<-END
			# trader, worker, web, notifier, telegram, migrate, archive and preflight. After a change: systemctl restart 'maemae-*'
			${database:-DATABASE_URL=mysql://maemae:$word@127.0.0.1:3306/maemae}
		END
		[ -n "$database" ] || file database.sql <<-END
			-- once, by the database's administrator: mariadb < /etc/maemae/database.sql
			CREATE DATABASE IF NOT EXISTS maemae CHARACTER SET utf8mb4;
			CREATE USER IF NOT EXISTS 'maemae'@'127.0.0.1' IDENTIFIED BY '$word';
			GRANT ALL ON maemae.* TO 'maemae'@'127.0.0.1';
		END
	fi
	if [ ! -e "$settings/redis.env" ]; then
		redis=$(moved REDIS_URL)
		word=$(secret)
		file redis.env <<-END
			# collector, trader, worker, web, notifier and telegram
			${redis:-REDIS_URL=redis://:$word@127.0.0.1:6379/0}
		END
		[ -n "$redis" ] || file redis.conf <<-END
			# what this deployment's Redis must be told; how: docs/deployment.md
			bind 127.0.0.1
			requirepass $word
			maxmemory 256mb
			maxmemory-policy noeviction
			save ""
			appendonly no
		END
	fi
	if [ -e "$settings/common.env" ]; then
		sed -i -E '/^(DATABASE_URL|REDIS_URL|DATA_DIR)=/d' "$settings/common.env"
	fi
}

fresh() { (cd "$here" && PYTHONPATH=. "${KEYS_PYTHON:-$home/venv/bin/python}" -m services.keys); }

told() {
	local keys="" simulator metrics
	install -d -m 0700 "$settings"
	if [ ! -e "$settings/trader.env" ] && [ ! -e "$settings/web.env" ]; then
		keys=$(fresh)
	elif [ ! -e "$settings/trader.env" ] || [ ! -e "$settings/web.env" ]; then
		echo "install: one of trader.env and web.env is missing: put it back, their keys belong together" >&2
		exit 1
	fi
	simulator=$(secret)
	metrics=$(secret)
	stores
	file common.env <<-END
		# every process reads this, so no secret belongs here. After a change: systemctl restart 'maemae-*'
		INSTALLATION=
		FEED=bybit
		VENUES=paper
		PAPER_API_URL=http://127.0.0.1:18700
		LOG_FORMAT=json
		METRICS_PORT_TRADER=9101
		METRICS_PORT_COLLECTOR=9102
		METRICS_PORT_SIMULATOR=9103
		METRICS_PORT_NOTIFIER=9104
		METRICS_PORT_TELEGRAM=9105
		METRICS_PORT_WORKER=9106
		WORKERS=false
	END
	file trader.env <<-END
		# the trader alone: the key that opens people's exchange keys
		$(grep '^ENCRYPTION_KEY=' <<<"$keys" || true)
		OPENAI_API_KEY=
	END
	file web.env <<-END
		# the web alone; it can seal exchange keys and open none
		$(grep -E '^(ENCRYPTION_PUBLIC_KEY|WEB_SECRET|NOTIFIER_PUBLIC_KEY)=' <<<"$keys" || true)
		SIMULATOR_TOKEN=$simulator
		METRICS_TOKEN=$metrics
		WEB_HOST=127.0.0.1
		PORT=8501
		TRUSTED_PROXIES=1
		WEB_HOSTS=
		PUBLIC_URL=
	END
	notifier
	file telegram.env <<-END
		# the bot alone: what @BotFather gave, empty = no bot; the rest as in web.env (codes of second factors)
		TELEGRAM_BOT_TOKEN=
		$(grep -E '^(ENCRYPTION_PUBLIC_KEY|WEB_SECRET|WEB_SECRETS_OLD)=' "$settings/web.env" || true)
	END
	file worker.env <<-END
		# the worker alone, where accounts are divided (docs/scaling.md): it opens exchange keys as the trader does
		$(grep -E '^(ENCRYPTION_KEY|ENCRYPTION_KEYS_OLD|OPENAI_API_KEY)=' "$settings/trader.env" || true)
		WORKER_ADDRESS=
	END
	file preflight.env <<-END
		# the preflight alone: it opens exchange keys as the trader does, asks about their accounts, and sends no order
		$(grep -E '^(ENCRYPTION_KEY|ENCRYPTION_KEYS_OLD)=' "$settings/trader.env" || true)
	END
	file simulator.env <<-END
		# the token that the web shows when it opens paper accounts
		$(grep '^SIMULATOR_TOKEN=' "$settings/web.env")
	END
}

notifier() { # its pair came after the first release: the public half is added to a web.env without one
	local pair=$keys
	[ ! -e "$settings/notifier.env" ] || return 0
	if [ -z "$pair" ]; then
		pair=$(fresh)
		grep -q '^NOTIFIER_PUBLIC_KEY=' "$settings/web.env" || grep '^NOTIFIER_PUBLIC_KEY=' <<<"$pair" >>"$settings/web.env"
	fi
	file notifier.env <<-END
		# the notifier alone: the key that opens addresses of channels, and where operators are told (SERVICE=ADDRESS, …)
		$(grep '^NOTIFIER_KEY=' <<<"$pair")
		NOTIFY_OPERATORS=
	END
}

services() {
	install -d -m 0755 "$units"
	install -m 0644 "$here"/deploy/systemd/maemae-*.service "$here"/deploy/systemd/maemae-*.timer "$units/"
	if [ -z "$to" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
}

[ -n "$to" ] || people
code
[ -n "$to" ] || environment
told
services
if [ -n "$start" ] && [ -z "$to" ]; then
	systemctl restart maemae-migrate.service
	systemctl enable --now maemae-migrate.service maemae-simulator.service maemae-collector.service maemae-trader.service maemae-notifier.service maemae-telegram.service maemae-web.service maemae-archive.timer
	systemctl restart maemae-simulator.service maemae-collector.service maemae-trader.service maemae-notifier.service maemae-telegram.service maemae-web.service
	say "running; a proxy with TLS belongs in front of 127.0.0.1:8501 (deploy/Caddyfile, deploy/nginx.conf)"
else
	say "laid out; fill in $settings/*.env, then deploy/install.sh --start"
fi

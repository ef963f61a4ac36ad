#!/usr/bin/env bash
# Make the secrets that compose.yaml hands to its containers, once: what is there stays as it is. Run from anywhere;
# needs the project's Python (`make run` makes it) or an image: PYTHON="docker run --rm maemae python" deploy/secrets.sh
set -euo pipefail
umask 077
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/secrets}
read -r -a python <<<"${PYTHON:-$here/../.venv/bin/python}"
mkdir -p "$folder"

keep() { # NAME VALUE: write it unless it is there
	[ -s "$folder/$1" ] || printf '%s\n' "$2" >"$folder/$1"
}
word() { # 32 random letters and digits
	"${python[@]}" -c 'import secrets; print(secrets.token_hex(16))'
}

if [ ! -s "$folder/encryption_key" ] || [ ! -s "$folder/encryption_public_key" ] || [ ! -s "$folder/web_secret" ]; then
	if [ -s "$folder/encryption_key" ] || [ -s "$folder/encryption_public_key" ]; then
		echo "one of the key pair is missing in $folder: put it back, both halves belong together" >&2
		exit 1
	fi
	made=$(cd "$here/.." && PYTHONPATH=. "${python[@]}" -m services.keys)
	keep encryption_key "$(sed -n 's/^ENCRYPTION_KEY=//p' <<<"$made")"
	keep encryption_public_key "$(sed -n 's/^ENCRYPTION_PUBLIC_KEY=//p' <<<"$made")"
	keep web_secret "$(sed -n 's/^WEB_SECRET=//p' <<<"$made")"
fi
if [ ! -s "$folder/notifier_key" ] && [ ! -s "$folder/notifier_public_key" ]; then
	made=$(cd "$here/.." && PYTHONPATH=. "${python[@]}" -m services.keys)
	keep notifier_key "$(sed -n 's/^NOTIFIER_KEY=//p' <<<"$made")"
	keep notifier_public_key "$(sed -n 's/^NOTIFIER_PUBLIC_KEY=//p' <<<"$made")"
elif [ ! -s "$folder/notifier_key" ] || [ ! -s "$folder/notifier_public_key" ]; then
	echo "one half of the notifier's pair is missing in $folder: put it back, both belong together" >&2
	exit 1
fi
# empty = there is none
for name in notify_operators telegram_bot_token heartbeat_url smtp_url encryption_keys_old web_secrets_old; do
	keep "$name" ""
done
keep mysql_root_password "$(word)"
keep mysql_password "$(word)"
keep database_url "mysql://maemae:$(cat "$folder/mysql_password")@mysql:3306/maemae"
keep redis_conf "requirepass $(word)"
keep redis_url "redis://:$(sed -n 's/^requirepass //p' "$folder/redis_conf")@redis:6379/0"
keep simulator_token "$(word)"
keep metrics_token "$(word)"
# a container reads its secret under a user of its own: the files are readable, the folder is what keeps others out
chmod 700 "$folder"
chmod 644 "$folder"/[a-z]*
[ -s "$folder/openai_api_key" ] || echo "put your provider's key into $folder/openai_api_key"

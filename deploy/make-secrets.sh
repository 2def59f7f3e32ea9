#!/bin/sh
# Makes the secrets of the Compose files in deploy/secrets, one a file. A file that is there is never touched, so it may be
# run again after a release that needs one more. Needs openssl; run as root, so that the containers' user may read the files.
set -eu
umask 077

cd "$(dirname "$0")"
mkdir -p secrets
cd secrets

# keep FILE TEXT: writes the text unless the file is there.
keep() {
    if [ -e "$1" ]; then
        echo "kept  secrets/$1"
    else
        printf '%s\n' "$2" > "$1"
        echo "made  secrets/$1"
    fi
}

keep master_key "$(openssl rand -base64 32)"
keep internal_api_keys "$(openssl rand -hex 32)"
# The edges present the first key that the control plane accepts.
keep edge_api_key "$(cut -d, -f1 internal_api_keys)"
keep device_secret "$(openssl rand -hex 32)"
keep postgres_password "$(openssl rand -hex 32)"
keep database_url "postgres://chillproxy:$(cat postgres_password)@postgres/chillproxy"
keep redis_conf "requirepass $(openssl rand -hex 32)
save \"\"
appendonly no
maxmemory 256mb
maxmemory-policy volatile-ttl"
keep redis_uri "redis://:$(sed -n 's/^requirepass //p' redis_conf)@redis:6379/0"

if [ "$(id -u)" -eq 0 ]; then
    # The user inside the images. PostgreSQL reads its password as root.
    chown 65532:65532 ./*
else
    echo "Not root: the containers run as user 65532; run  sudo chown 65532:65532 deploy/secrets/*" >&2
fi

if [ ! -s indexers ]; then
    echo "Now write your indexers into deploy/secrets/indexers, such as" >&2
    echo "  prowlarr=http://prowlarr.internal:9696/1|PROWLARR_API_KEY" >&2
    echo "and run this once more. Then keep a copy of deploy/secrets/master_key apart from the database's backups." >&2
fi

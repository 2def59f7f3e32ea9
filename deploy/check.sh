#!/usr/bin/env bash
# Checks what stands in deploy/ and the names in the operators' documents, with the tools that are here. Says what it skipped;
# with --all a skipped check is a failure. Starts nothing and downloads nothing.
#
# The tools: python3-yaml, prometheus (promtool), caddy, systemd, shellcheck from apt; docker with compose; hadolint.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

failed=0 skipped=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# run WHAT COMMAND…: runs a check and shows its words only when it fails.
run() {
    local what=$1
    shift
    if "$@" > "$work/said" 2>&1; then
        echo "ok       $what"
    else
        echo "FAILED   $what"
        sed 's/^/         /' "$work/said"
        failed=$((failed + 1))
    fi
}

skip() {
    echo "skipped  $1: $2 is not here"
    skipped=$((skipped + 1))
}

has() { command -v "$1" > /dev/null; }

parse_yaml() {
    python3 -c 'import sys, yaml; [yaml.safe_load(open(name)) for name in sys.argv[1:]]' "$@"
}

# Debian's docker-compose 1.29 knows everything here but the project's name.
compose_config() {
    if docker compose version > /dev/null 2>&1; then
        STREMTHRU_BASE_URL=https://stream.example.org docker compose --file "$1" config --quiet
    else
        grep -v '^name:' "$1" > "$work/compose.yaml" &&
            STREMTHRU_BASE_URL=https://stream.example.org docker-compose --project-directory deploy --file "$work/compose.yaml" config --quiet
    fi
}

# The program need not be installed to check its unit. A misspelt name is only a remark to systemd: any remark fails here.
unit_valid() {
    sed 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' deploy/chillproxy.service > "$work/chillproxy.service"
    systemd-analyze verify --man=no "$work/chillproxy.service" > "$work/remarks" 2>&1 && ! grep . "$work/remarks"
}

unit_hardened() { systemd-analyze security --offline=yes --threshold=20 "$work/chillproxy.service"; }

caddy_valid() {
    caddy fmt deploy/Caddyfile > "$work/Caddyfile" && diff deploy/Caddyfile "$work/Caddyfile" &&
        XDG_DATA_HOME=$work XDG_CONFIG_HOME=$work caddy validate --config deploy/Caddyfile --adapter caddyfile &&
        SITE_UPSTREAMS='127.0.0.1:8081 127.0.0.1:8082' XDG_DATA_HOME=$work XDG_CONFIG_HOME=$work \
            caddy validate --config deploy/Caddyfile --adapter caddyfile
}

# missing FILE LIST: fails with each line of FILE that is not in LIST.
missing() { ! comm -23 <(sort -u "$1") <(sort -u "$2") | grep .; }

# Every setting named here is one the program knows: it refuses to start with an unknown one.
settings_known() {
    grep -ohE '\b(CHILLPROXY|CHILLSTREAMS|STREMTHRU|TORBOX|ENABLE|INTERNAL|DATABASE|REDIS)_[A-Z_]*[A-Z]\b' \
        deploy/* docs/operations.md docs/providers.md | sed 's/_FILE$//' > "$work/used"
    grep -ohE '"[A-Z][A-Z_]+"' crates/chillproxy/src/config/names.rs | tr -d '"' > "$work/known"
    missing "$work/used" "$work/known"
}

metrics_in_code() {
    find crates -name '*.rs' -not -path '*/node_modules/*' -exec cat {} + | tr -d '\n' |
        grep -oE '(counter|gauge|histogram)!\( *"chillproxy_[a-z_]+"' | grep -oE 'chillproxy_[a-z_]+'
}

# Every metric in the alerts and in the table is one the code writes, and every one the code writes is in the table.
metrics_known() {
    metrics_in_code > "$work/written"
    grep -ohE 'chillproxy_[a-z_]+' docs/metrics.md deploy/alerts.yaml deploy/alerts.test.yaml |
        sed -E 's/_(bucket|sum|count)$//' > "$work/named"
    grep -oE '^\| `chillproxy_[a-z_]+' docs/metrics.md | tr -d '|` ' > "$work/table"
    missing "$work/named" "$work/written" && missing "$work/written" "$work/table"
}

refusals_known() {
    grep -oE 'code=~?"[a-z_|]+"' deploy/alerts.yaml | grep -oE '"[a-z_|]+"' | tr -d '"' | tr '|' '\n' > "$work/used"
    cut -f1 crates/chill-edge/clips/texts.tsv > "$work/known"
    missing "$work/used" "$work/known"
}

run "settings are known" settings_known
run "metrics are known" metrics_known
run "refusal codes are known" refusals_known

if has shellcheck; then
    run "shell scripts" shellcheck deploy/check.sh deploy/make-secrets.sh deploy/chillproxy-admin
else
    skip "shell scripts" shellcheck
fi

if has python3 && python3 -c 'import yaml' 2> /dev/null; then
    run "YAML" parse_yaml deploy/*.yaml
else
    skip "YAML" python3-yaml
fi

if has promtool; then
    run "alert rules" promtool check rules deploy/alerts.yaml
    run "alerts fire when they should" promtool test rules deploy/alerts.test.yaml
else
    skip "alert rules" promtool
fi

if has caddy; then run "Caddyfile" caddy_valid; else skip "Caddyfile" caddy; fi

if has systemd-analyze; then
    run "systemd unit" unit_valid
    run "systemd unit is hardened" unit_hardened
else
    skip "systemd unit" systemd-analyze
fi

if has docker-compose || { has docker && docker compose version > /dev/null 2>&1; }; then
    run "compose.yaml" compose_config deploy/compose.yaml
    run "compose.two-planes.yaml" compose_config deploy/compose.two-planes.yaml
else
    skip "Compose files" "docker compose"
fi

if has hadolint; then run "Dockerfile" hadolint deploy/Dockerfile; else skip "Dockerfile" hadolint; fi

echo "$failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && { [ "${1:-}" != --all ] || [ "$skipped" -eq 0 ]; }

#!/usr/bin/env bash
# Makes v0.1.0.tar.gz, the folder of a small node as the released program v0.1.0 leaves it; v0.1.0.json, the ids and
# secrets of its people and programs; and v0.1.0.NAME.jsonl, what its stream said to two members. They were made once
# and stay; this says how:
#
#   git archive v0.1.0 | tar -x -C DIR && (cd DIR && go build -o polder ./cmd/polder) && v0.1.0.sh DIR/polder OUT
set -euo pipefail
polder=$1 out=$2 work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
data=$work/node
of() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

init=$("$polder" init --data "$data" --name 'National hub' --country NL --json)
acme=$("$polder" org add --data "$data" --name 'Acme Optics' --sector manufacturing --json | of id)
klep=$("$polder" org add --data "$data" --name 'Klepwerk' --widest-tlp amber --json | of id)
"$polder" community add --data "$data" --name 'Chip supply chain' >/dev/null
"$polder" community join --data "$data" --community chip-supply-chain --org "$acme" >/dev/null
"$polder" community join --data "$data" --community chip-supply-chain --org "$klep" --role reader >/dev/null
els=$("$polder" person add --data "$data" --org "$acme" --email els@acme.example --role steward --json)
acme_token=$("$polder" token create --data "$data" --org "$acme" --role contributor | of token)
klep_token=$("$polder" token create --data "$data" --org "$klep" --role reader | of token)
gone=$("$polder" token create --data "$data" --org "$acme" --role reader)
"$polder" token revoke --data "$data" "$(of id <<<"$gone")" >/dev/null

"$polder" serve --data "$data" --listen 127.0.0.1:0 >"$work/ready" 2>"$work/log" &
pid=$!
for _ in $(seq 100); do grep -q ready "$work/ready" && break; sleep 0.1; done
export POLDER_NODE POLDER_TOKEN=$acme_token
POLDER_NODE=$(sed -n 's/^ready //p' "$work/ready")
indicator() { # uuid, modified, value
  cat <<JSON
{"type":"indicator","spec_version":"2.1","id":"indicator--$1","created":"2026-03-01T00:00:00.000Z","modified":"$2","name":"Sender of $3","pattern":"[domain-name:value = '$3']","pattern_type":"stix","valid_from":"2026-03-01T00:00:00Z","object_marking_refs":["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]}
JSON
}
for n in 1 2 3 4 5; do indicator "0000000$n-1111-4111-8111-111111111111" 2026-03-01T00:00:00.000Z "host$n.example" >"$work/$n.json"; done
indicator 00000001-1111-4111-8111-111111111111 2026-03-02T00:00:00.000Z host1b.example >"$work/1b.json"
for n in 1 2 3 4 1b; do "$polder" share --community chip-supply-chain "$work/$n.json" >/dev/null; done
"$polder" share --community chip-supply-chain --to "$acme" "$work/5.json" >/dev/null
"$polder" withdraw --community chip-supply-chain indicator--00000004-1111-4111-8111-111111111111 >/dev/null
for reader in acme:$acme_token klep:$klep_token; do # what the stream said of everything, to the one and the other
  POLDER_TOKEN=${reader#*:} timeout 3 "$polder" watch --since 0 >"$out/v0.1.0.${reader%%:*}.jsonl" || true
done
kill -TERM $pid
wait $pid

printf '{"host":%s,"acme":"%s","klep":"%s","els":%s,"acme_token":"%s","klep_token":"%s","revoked":"%s"}\n' \
  "$init" "$acme" "$klep" "$els" "$acme_token" "$klep_token" "$(of token <<<"$gone")" >"$out/v0.1.0.json"
rm -f "$data"/*.reserve "$data"/*.lock "$data"/*.migrate
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=2026-01-01 -C "$data" -cf - . | gzip -9n >"$out/v0.1.0.tar.gz"

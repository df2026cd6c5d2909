#!/bin/sh
# A drill of backup and restore: what cannot be restored is no backup. It takes a backup of a node that may be serving,
# reads it whole, makes a node of it in a scratch folder, and holds that node to the one it came from. Nothing is
# started, so nothing of the copy reaches peers, mail or webhooks; nothing of the node is changed.
#
#   RECIPIENT=age1… IDENTITY=key.txt drill.sh DATA [SCRATCH]
#   PASSPHRASE_FILE=pass.txt         drill.sh DATA [SCRATCH]
#
# DATA is the node's folder. SCRATCH is a folder that is made and stays; without it one is made and removed. POLDER names
# the program. Exit status 0: the backup is good.
set -eu
polder=${POLDER:-polder}
data=${1:?usage: drill.sh DATA [SCRATCH]}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
scratch=${2:-$work/node}

if [ -n "${PASSPHRASE_FILE:-}" ]; then
  lock="--passphrase-file $PASSPHRASE_FILE" open="--passphrase-file $PASSPHRASE_FILE"
else
  lock="--recipient ${RECIPIENT:?name an age recipient, or PASSPHRASE_FILE}" open="--identity ${IDENTITY:?name the file with the age identity}"
fi
step() { printf '%s  %s\n' "$(date -u +%H:%M:%S)" "$*"; }

step "backup of $data"
# shellcheck disable=SC2086 # two words each
"$polder" backup --data "$data" $lock "$work/drill.backup"
step "read it whole"
"$polder" restore --check $open "$work/drill.backup"
step "restore into $scratch"
"$polder" restore --data "$scratch" $open "$work/drill.backup"
step "verify the audit of the restored node"
"$polder" audit verify --data "$scratch"
step "compare who there is"
for what in org person community token; do
  "$polder" $what list --data "$data" --json | sed 's/,"used":[^,}]*//' >"$work/$what.then"
  "$polder" $what list --data "$scratch" --json | sed 's/,"used":[^,}]*//' >"$work/$what.now"
  cmp -s "$work/$what.then" "$work/$what.now" || { echo "the restored node has another list: polder $what list" >&2; exit 1; }
done
step "the backup of $(wc -c <"$work/drill.backup" | tr -d ' ') bytes is good"

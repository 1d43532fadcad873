#!/bin/sh
# The main job in four steps, offline: the embedded stub answers, its state is kept in a folder of the demo's own.
set -eu
crm offline reset >/dev/null

echo '$ crm --offline leads list --status new --limit 5'
crm --offline leads list --status new --limit 5 --output table

echo '$ crm --offline leads create --name "Grace Hopper" --email grace@navy.example --source referral'
crm --offline leads create --name "Grace Hopper" --email grace@navy.example --source referral --output table

echo '$ crm --offline leads list --search "grace hopper"'
crm --offline leads list --search "grace hopper" --output table

echo '$ python -m server_stub --run examples/mvp_document.py   # the documents'"'"' own example, unchanged'
python -m server_stub --run examples/mvp_document.py
echo 'ok'

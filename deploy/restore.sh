#!/bin/sh
# Puts back what deploy/backup.sh wrote: everything, or the shards that are
# named.
#
#     deploy/restore.sh DIR [SHARD]...
#
# Into the servers of the fleet's variables, as for the backup: empty ones, or
# such as hold what is to be replaced. A shard comes back whole or not at all.
set -eu
dir=${1:?usage: deploy/restore.sh DIR [SHARD]...}
shift
[ -e "$dir/complete" ] || { echo "$dir: no complete backup" >&2; exit 1; }

load() {
    pg_restore --single-transaction --clean --if-exists --no-owner --no-privileges --dbname="$1" "$2"
}
url() { printenv "POSTGRES_SHARD_$1_URL" || { echo "POSTGRES_SHARD_$1_URL: not set" >&2; return 1; }; }

chosen=${*:-$(cat "$dir/complete")}
# Before anything is replaced: the last address must not be the one that is missing.
for shard in $chosen; do url "$shard" >/dev/null; done
for shard in $chosen; do
    load "$(url "$shard")" "$dir/shard_$shard.dump"
    echo "shard $shard is back"
done
if [ $# = 0 ]; then
    if [ -e "$dir/documents.dump" ]; then
        load "${FERRETDB_POSTGRESQL_URL:?}" "$dir/documents.dump"
    else
        mongorestore --quiet --uri="${MONGODB_URL:?}" --gzip --archive="$dir/restaurants.archive.gz" --drop
    fi
    echo "the restaurants are back"
fi

# An e-mail address has one account because most shards remember whose it is. A
# shard that came back has forgotten those of after its backup, and the others
# believe that it knows them: without these marks, auth tells every shard again.
for shard in $(env | sed -n 's/^POSTGRES_SHARD_\([A-Z]\)_URL=..*/\1/p'); do
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname="$(url "$shard")" --command='delete from auth.claim_repairs'
done

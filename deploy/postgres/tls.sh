#!/bin/sh
# `tls.sh COMMAND ARG...` runs PostgreSQL with TLS and no way in without it. The
# server refuses a key that another user owns, so it gets a copy; a renewed
# certificate is taken by a restart.
set -eu
install -o postgres -g postgres -m 0600 /tls/tls.key /var/lib/postgresql/tls.key
exec "$@" -c ssl=on -c ssl_min_protocol_version=TLSv1.2 \
    -c ssl_cert_file=/tls/tls.crt -c ssl_key_file=/var/lib/postgresql/tls.key \
    -c hba_file=/tiffin/pg_hba.conf

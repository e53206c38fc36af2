#!/bin/sh
# A member of the replica set. The key by which members know each other comes
# from the environment and must be a file of the server's own. With a certificate
# in /tls, which MongoDB wants in one file with its key, nothing goes without TLS.
set -eu
printf '%s' "$MONGODB_REPLICA_KEY" >/data/configdb/key
chmod 0400 /data/configdb/key
chown mongodb:mongodb /data/configdb/key
set -- --replSet tiffin --keyFile /data/configdb/key --bind_ip_all
if [ -f /tls/tls.crt ]; then
    (umask 077 && cat /tls/tls.crt /tls/tls.key >/data/configdb/tls.pem)
    chown mongodb:mongodb /data/configdb/tls.pem
    set -- "$@" --tlsMode requireTLS --tlsCertificateKeyFile /data/configdb/tls.pem \
        --tlsCAFile /tls/ca.crt --tlsAllowConnectionsWithoutCertificates
fi
exec docker-entrypoint.sh mongod "$@"

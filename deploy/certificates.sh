#!/bin/sh
# Makes the folder that deploy/compose.tls.yaml mounts: an authority, and for
# each kind of server a certificate signed by it with the names by which the
# others call it. `deploy/certificates.sh [folder]`, ./certs without one. For
# development and closed networks; with an authority of your own put its files
# into the same places.
#
# Run it again to renew: the authority and the keys stay, so that a certificate
# always fits the key beside it. Without ca.key in it the folder cannot sign any
# more, which is how a server should have it.
set -eu
umask 077
folder=${1:-certs}
days=${DAYS:-365}
# Others on this host stop at the folder itself. What is in it must be readable:
# the servers' users are known to their containers alone.
mkdir -p "$folder"
chmod 0700 "$folder"
cd "$folder"

if [ ! -s ca.crt ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 3650 \
        -keyout ca.key -out ca.crt -config - 2>/dev/null <<'CONFIG'
[req]
prompt = no
distinguished_name = name
x509_extensions = authority
[name]
CN = Tiffin authority
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
CONFIG
fi

[ -s ca.key ] || { echo "$folder has no ca.key, so nothing can be signed in it" >&2 && exit 1; }

# certificate FOLDER NAME...: for these hosts, and for a look from inside. Servers
# of a cluster are each other's clients too.
certificate() {
    kind=$1
    shift
    names="DNS:localhost,IP:127.0.0.1"
    for host; do names="$names,DNS:$host"; done
    mkdir -p "$kind"
    [ -s "$kind/tls.key" ] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$kind/tls.key"
    printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=%s\n' \
        "$names" >extensions
    openssl req -new -key "$kind/tls.key" -subj "/CN=$kind" |
        openssl x509 -req -sha256 -days "$days" -CA ca.crt -CAkey ca.key -set_serial "0x$(openssl rand -hex 16)" \
            -extfile extensions -out "$kind/tls.crt.new" 2>/dev/null
    rm extensions
    # At once: whoever reads meanwhile gets the old one or the new one.
    mv "$kind/tls.crt.new" "$kind/tls.crt"
    cp ca.crt "$kind/ca.crt"
    chmod 0755 "$kind"
    chmod 0644 "$kind/tls.crt" "$kind/tls.key" "$kind/ca.crt"
}

certificate edge edge-1 edge-2
certificate role # shown by the other roles to servers that ask
certificate nats nats-1 nats-2 nats-3
certificate postgres postgres-shard-a postgres-shard-b postgres-shard-c postgres-shard-a-replica
certificate mongodb mongodb-1 mongodb-2 mongodb-3
certificate redis redis
certificate rabbitmq rabbitmq

#!/bin/sh
# Installs the backing servers that are missing on this machine, and nothing
# else: packages of the distribution, without starting any service of theirs.
# Says nothing and takes no time when all is there. `servers.sh browser` also
# wants what only tests need: a browser, and a
# RabbitMQ client for Python.
set -eu

have() { command -v "$1" >/dev/null 2>&1; }

missing=""
want() { missing="$missing $1"; }

ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || have postgres || want postgresql
have redis-server || want redis-server
[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || have rabbitmq-server || want rabbitmq-server
if [ "${1:-}" = browser ]; then
    have chromium || have chromium-browser || have google-chrome || want chromium
    # For the test of the Python example in docs/consume, whichever of the two has it.
    python3 -c 'import pika' 2>/dev/null || /usr/bin/python3 -c 'import pika' 2>/dev/null || want python3-pika
fi
[ -n "$missing" ] || exit 0

if ! have apt-get; then
    echo "Tiffin needs$missing. Install them with your package manager and run this again." >&2
    exit 1
fi
root=""
if [ "$(id -u)" != 0 ]; then
    # Without a terminal nobody could type a password.
    if have sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        root=sudo
    else
        echo "Tiffin needs$missing, and only root may install packages. Ask an administrator for:" >&2
        echo "    apt-get install$missing" >&2
        exit 1
    fi
fi

echo "Installing$missing ..."

# Debian starts a service as soon as its package is configured. Tiffin runs
# servers of its own, so the package's must not take the standard ports. Whoever
# has a policy already keeps it.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $root tee "$policy" >/dev/null
    $root chmod +x "$policy"
    trap '$root rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
fi

log=$(mktemp)
apt() {
    $root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1
}
# shellcheck disable=SC2086 # a list of words
if ! { apt update && apt install --no-install-recommends $missing; }; then
    cat "$log" >&2
    echo "Installing$missing failed, see above." >&2
    exit 1
fi
rm -f "$log"

# Nor at the next boot: these packages are here for their programs.
if have systemctl && [ -d /run/systemd/system ]; then
    for package in $missing; do
        case $package in
        postgresql | redis-server | rabbitmq-server) $root systemctl disable --quiet "$package" || true ;;
        esac
    done
fi

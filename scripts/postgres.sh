# A private PostgreSQL for tests, to be sourced: postgres_start DIRECTORY, postgres_stop. It listens on a Unix
# socket in that directory only, as user "postgres" with no password, and keeps nothing: fsync is off.
#
# PostgreSQL refuses to run as root, so root runs it as the user that Debian's package makes.

postgres_data=

# Every test file makes a database, which is 700 files. On ext4 that took 0.5 s of processor time, more than most
# files' tests; in memory 0.03 s. Containers may have little of it (64 MB by default), then it is the disk.
postgres_memory=/dev/shm
postgres_memory_kb=2000000

postgres_place()
{
    local free
    free=$(df --output=avail "$postgres_memory" 2>/dev/null | tail -n 1)
    if [ -w "$postgres_memory" ] && [ "${free:-0}" -ge "$postgres_memory_kb" ]; then
        mktemp -d "$postgres_memory/edge-postgres.XXXXXX"
    else
        mkdir -p "$1/data" && echo "$1/data"
    fi
}

postgres_command()
{
    local command=$1
    shift
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && runuser -u postgres -- "$postgres_bin/$command" "$@")
    else
        "$postgres_bin/$command" "$@"
    fi
}

postgres_start()
{
    local directory=$1
    postgres_bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
    [ -n "$postgres_bin" ] || postgres_bin=$(dirname "$(command -v initdb)") || {
        echo "PostgreSQL is not installed. Run scripts/setup" >&2
        return 1
    }
    mkdir -p "$directory" && postgres_data=$(postgres_place "$directory") || return
    [ "$(id -u)" -ne 0 ] || chown postgres "$directory" "$postgres_data" || return

    postgres_command initdb -D "$postgres_data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 -N \
        >"$directory.log" 2>&1 || { cat "$directory.log" >&2; return 1; }
    postgres_command pg_ctl start -D "$postgres_data" -w -t 60 -s -l "$directory/log" -o "-k $directory \
        -c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
        -c max_connections=300 -c shared_buffers=128MB -c max_wal_size=256MB -c log_min_messages=fatal" </dev/null ||
        { cat "$directory/log" >&2; return 1; }
}

postgres_stop()
{
    [ -n "$postgres_data" ] || return 0
    [ ! -f "$postgres_data/postmaster.pid" ] || postgres_command pg_ctl stop -D "$postgres_data" -m immediate -s -t 20 || true
    rm -rf "$postgres_data"
    postgres_data=
}

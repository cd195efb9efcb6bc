# A private PostgreSQL for tests, to be sourced: postgres_start DIRECTORY, postgres_stop. It listens on a Unix
# socket in that directory only, as user "postgres" with no password, and keeps nothing: fsync is off.
#
# PostgreSQL refuses to run as root, so root runs it as the user that Debian's package makes.

postgres_directory=

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
    mkdir -p "$directory" || return
    [ "$(id -u)" -ne 0 ] || chown postgres "$directory" || return

    postgres_command initdb -D "$directory/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 -N \
        >"$directory.log" 2>&1 || { cat "$directory.log" >&2; return 1; }
    postgres_directory=$directory
    postgres_command pg_ctl start -D "$directory/data" -w -t 60 -s -l "$directory/log" -o "-k $directory \
        -c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
        -c max_connections=300 -c shared_buffers=128MB -c log_min_messages=fatal" </dev/null ||
        { cat "$directory/log" >&2; return 1; }
}

postgres_stop()
{
    [ -n "$postgres_directory" ] || return 0
    postgres_command pg_ctl stop -D "$postgres_directory/data" -m immediate -s -t 20 || true
    postgres_directory=
}

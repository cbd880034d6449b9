# Sourced by `up` and `down`: finds a container engine with compose, or says that there is none and ends with 0, since
# nothing else in this repository needs one.

skip() {
    printf 'Skipped: %s\n' "$*" >&2
    exit 0
}

find_engine() {
    command -v docker > /dev/null ||
        skip "there is no docker command here. The demo and the tests need none."
    docker info > /dev/null 2>&1 ||
        skip "the docker command can't reach a container engine (is it running, and may you use it?)."
    docker compose version > /dev/null 2>&1 ||
        skip "docker has no compose plugin here (Debian and Ubuntu: docker-compose-v2 or docker-compose-plugin)."
}

compose() {
    docker compose --file "$(dirname "${BASH_SOURCE[0]}")/compose.yaml" "$@"
}

#!/bin/sh
# Segments every patient in /input into /output. Options go on to `islesnet segment`; any other command runs as it is.
set -eu

refuse() {
    echo "islesnet: $1" >&2
    exit 1
}

case "${1-}" in
    "" | -*) ;;
    *) exec "$@" ;;
esac
case " $* " in
    *" --help "*) exec islesnet segment --help ;;
esac

me="user $(id -u):$(id -g)"
as_owner='run as its owner: --user "$(id -u):$(id -g)"'

[ -d /input ] || refuse "nothing is mounted on /input; add -v /path/to/patients:/input:ro"
found=$(ls -A /input 2>&1) || refuse "/input cannot be read by $me; $as_owner"
[ -n "$found" ] || refuse "/input is empty; mount the folder that holds the patients: -v /path/to/patients:/input:ro"

[ -d /output ] || refuse "nothing is mounted on /output; add -v /path/to/results:/output"
[ -w /output ] || refuse "/output cannot be written to by $me; mount a folder of yours without :ro, and $as_owner"

case " $* " in
    *" --model "* | *" --model="*) ;;  # the user's own choice
    *)
        if [ -d /model.pt ]; then
            refuse "/model.pt is a folder: Docker makes one where the file to be mounted does not exist; check its path"
        elif [ -s /model.pt ]; then
            [ -r /model.pt ] || refuse "/model.pt cannot be read by $me; $as_owner"
            set -- --model /model.pt "$@"
        fi
        ;;
esac

exec islesnet segment /input --output /output "$@"

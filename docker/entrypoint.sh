#!/bin/sh
# Segments every patient in /input into /output; options go on to `islesnet segment`, any other command runs as it is.
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

who="user $(id -u):$(id -g)"
[ -d /input ] || refuse "nothing is mounted on /input; add -v /path/to/patients:/input:ro"
[ -r /input ] && [ -x /input ] || refuse "/input cannot be read by $who; run as its owner: --user \"\$(id -u):\$(id -g)\""
[ -n "$(ls -A /input)" ] || refuse "/input is empty; is the folder of patients that was mounted on it the right one?"
[ -d /output ] || refuse "nothing is mounted on /output; add -v /path/to/results:/output"
[ -w /output ] && [ -x /output ] || refuse "/output cannot be written to by $who; mount a folder of that user's without :ro, or run as its owner: --user \"\$(id -u):\$(id -g)\""

case " $* " in
    *" --model "* | *" --model="*) ;;
    *)
        if [ -d /model.pt ]; then
            refuse "/model.pt is a folder: Docker makes one where the file to mount does not exist; check its path"
        elif [ -e /model.pt ]; then
            [ -r /model.pt ] || refuse "/model.pt cannot be read by $who"
            set -- --model /model.pt "$@"
        elif [ ! -e /opt/islesnet/bundle/models/model.pt ]; then
            refuse "this image holds no weights; mount a checkpoint: -v /path/to/model.pt:/model.pt:ro"
        fi
        ;;
esac

exec islesnet segment /input --output /output "$@"

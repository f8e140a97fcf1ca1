#!/usr/bin/env bash
# Clones SOURCE into TARGET, and again every day at AT (or once, where AT is empty).
set -euo pipefail
: "${SOURCE:?}" "${TARGET:?}"

# Passwords go into a file that libpq reads, so that no command line ever shows them.
escaped() { printf '%s' "$1" | sed 's/[\\:]/\\&/g'; }
umask 077
export PGPASSFILE=${PGPASSFILE:-$HOME/.pgpass}
cat > "$PGPASSFILE" <<END
production:*:*:*:$(escaped "${READER_PASSWORD:-}")
staging:*:*:*:$(escaped "${STAGING_PASSWORD:-}")
END

while true; do
    # A failed run leaves the clone of yesterday as it was, so the loop goes on.
    dbsynth clone "$SOURCE" "$TARGET" --replace || echo "refresh: exit code $?" >&2
    if [ -z "${AT:-}" ]; then break; fi
    sleep $(($(date --date "tomorrow $AT" +%s) - $(date +%s)))
done

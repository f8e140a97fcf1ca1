#!/usr/bin/env bash
# Runs once, when the production server is made: a role that may read everything and change nothing.
set -euo pipefail

psql --quiet --set ON_ERROR_STOP=1 --set "password=$READER_PASSWORD" \
    --username postgres --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE reader LOGIN PASSWORD :'password';
GRANT pg_read_all_data TO reader;
ALTER ROLE reader SET default_transaction_read_only = on;
SQL

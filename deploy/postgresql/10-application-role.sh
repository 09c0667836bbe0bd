#!/usr/bin/env bash
# Makes the application's role and its database: neither superuser nor BYPASSRLS, and the owner of what it migrates.
# The image of PostgreSQL runs it once, when its data are created.
set -euo pipefail

psql --set ON_ERROR_STOP=1 --set password="$CONVGEN_DATABASE_PASSWORD" --username "${POSTGRES_USER:-postgres}" <<'SQL'
CREATE ROLE convgen LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE PASSWORD :'password';
CREATE DATABASE convgen OWNER convgen ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0;
SQL

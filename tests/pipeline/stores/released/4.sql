-- The operational schemas. Every statement may run again: a new version adds to this file.

CREATE SCHEMA IF NOT EXISTS data_quality;
CREATE SCHEMA IF NOT EXISTS event_store;
CREATE SCHEMA IF NOT EXISTS migration;

CREATE TABLE IF NOT EXISTS data_quality.quarantine (
    context        text        NOT NULL,
    aggregate_type text        NOT NULL,
    aggregate_id   text,
    source_table   text        NOT NULL,
    source_file    text        NOT NULL,
    source_row     bigint      NOT NULL,
    rules          text[]      NOT NULL CHECK (cardinality(rules) > 0),
    payload        jsonb       NOT NULL,
    order_month    date,
    step           text        NOT NULL CHECK (step IN ('intake', 'validation')),
    run_id         text        NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source_table, source_row, step)
);
CREATE INDEX IF NOT EXISTS quarantine_by_month ON data_quality.quarantine (source_table, order_month);
CREATE INDEX IF NOT EXISTS quarantine_by_rule ON data_quality.quarantine USING gin (rules);

CREATE TABLE IF NOT EXISTS data_quality.parity_results (
    result_id   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    context     text        NOT NULL,
    table_name  text        NOT NULL,
    comparison  text        NOT NULL CHECK (comparison IN ('parity', 'conservation')),
    verdict     text        NOT NULL,
    is_green    boolean     NOT NULL,
    subject     text        NOT NULL,
    report      jsonb       NOT NULL,
    run_id      text        NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN data_quality.parity_results.subject IS
    'fingerprint of what was compared; a verdict whose subject is not the present one is stale';
CREATE INDEX IF NOT EXISTS parity_results_latest
    ON data_quality.parity_results (comparison, context, table_name, result_id DESC);

CREATE TABLE IF NOT EXISTS event_store.domain_events (
    event_id       uuid        PRIMARY KEY,
    event_type     text        NOT NULL,
    context        text        NOT NULL,
    aggregate_type text        NOT NULL,
    aggregate_id   text        NOT NULL,
    version        integer     NOT NULL CHECK (version > 0),
    payload        jsonb       NOT NULL,
    occurred_at    timestamp   NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    run_id         text        NOT NULL,
    transaction_id xid8        NOT NULL DEFAULT pg_current_xact_id(),
    position       bigint      GENERATED ALWAYS AS IDENTITY,
    UNIQUE (aggregate_type, aggregate_id, version)
);
-- The content hashes of what was appended in one go: all of it is there, so appending it again needs no look.
CREATE TABLE IF NOT EXISTS event_store.batches (
    digest      bytea       PRIMARY KEY,
    recorded_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX IF NOT EXISTS domain_events_tail ON event_store.domain_events (transaction_id, position);

CREATE OR REPLACE FUNCTION event_store.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'event_store.domain_events is append-only: % is refused', TG_OP;
END $$;
CREATE OR REPLACE TRIGGER append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON event_store.domain_events
    FOR EACH STATEMENT EXECUTE FUNCTION event_store.refuse_change();

CREATE TABLE IF NOT EXISTS migration.routes (
    context    text        PRIMARY KEY,
    route      text        NOT NULL CHECK (route IN ('old', 'shadow', 'new', 'retired')),
    release    integer,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by text        NOT NULL,
    reason     text        NOT NULL
);

CREATE TABLE IF NOT EXISTS migration.route_history (
    change_id  bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    context    text        NOT NULL,
    old_route  text,
    new_route  text        NOT NULL,
    release    integer,
    changed_at timestamptz NOT NULL,
    changed_by text        NOT NULL,
    reason     text        NOT NULL
);

-- An act is what somebody did at one moment, to one context or several; its id makes recording it again do nothing.
ALTER TABLE migration.routes
    ADD COLUMN IF NOT EXISTS act_id     uuid,
    ADD COLUMN IF NOT EXISTS action     text,
    ADD COLUMN IF NOT EXISTS parity_run text,
    ADD COLUMN IF NOT EXISTS overridden text[] NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS blocked    text;
COMMENT ON COLUMN migration.routes.overridden IS 'the objections that --force overruled';
COMMENT ON COLUMN migration.routes.blocked IS 'why another cutover waits until somebody acknowledges; null where none does';
ALTER TABLE migration.route_history
    ADD COLUMN IF NOT EXISTS act_id     uuid,
    ADD COLUMN IF NOT EXISTS action     text,
    ADD COLUMN IF NOT EXISTS parity_run text,
    ADD COLUMN IF NOT EXISTS overridden text[] NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS blocked    text;
CREATE UNIQUE INDEX IF NOT EXISTS route_history_once ON migration.route_history (act_id, context);

-- The history follows the routes by itself, also where somebody changes them by hand. Another release alone is none.
CREATE OR REPLACE FUNCTION migration.keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.route = OLD.route AND NEW.act_id IS NOT DISTINCT FROM OLD.act_id THEN
        RETURN NEW;
    END IF;
    INSERT INTO migration.route_history (
        context, old_route, new_route, release, changed_at, changed_by, reason, act_id, action, parity_run,
        overridden, blocked
    ) VALUES (
        NEW.context, CASE WHEN TG_OP = 'UPDATE' THEN OLD.route END, NEW.route, NEW.release,
        NEW.changed_at, NEW.changed_by, NEW.reason,
        CASE WHEN TG_OP = 'INSERT' OR NEW.act_id IS DISTINCT FROM OLD.act_id THEN NEW.act_id END,
        NEW.action, NEW.parity_run, NEW.overridden, NEW.blocked
    );
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER keep_history
    AFTER INSERT OR UPDATE ON migration.routes FOR EACH ROW EXECUTE FUNCTION migration.keep_history();

CREATE OR REPLACE FUNCTION migration.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'migration.route_history is append-only: % is refused', TG_OP;
END $$;
CREATE OR REPLACE TRIGGER append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON migration.route_history
    FOR EACH STATEMENT EXECUTE FUNCTION migration.refuse_change();

-- Differences of old and new that somebody took on themselves, by table and column, until a day.
CREATE TABLE IF NOT EXISTS migration.approvals (
    approval_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name  text        NOT NULL,
    column_name text        NOT NULL,
    reason      text        NOT NULL CHECK (btrim(reason) <> ''),
    until       date        NOT NULL,
    approved_by text        NOT NULL,
    approved_at timestamptz NOT NULL DEFAULT now(),
    revoked_by  text,
    revoked_at  timestamptz,
    CHECK ((revoked_by IS NULL) = (revoked_at IS NULL))
);
CREATE INDEX IF NOT EXISTS approvals_by_table ON migration.approvals (table_name, until);

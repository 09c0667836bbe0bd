-- The log's table anew, divided by the month of `created_at`. The rows are still in the old one, set aside.
--
-- A key of a divided table must hold what divides it, hence the date beside the id.
ALTER TABLE generation_generationlog RENAME TO generation_generationlog_plain;
ALTER TABLE generation_generationlog_plain DROP CONSTRAINT generation_generationlog_pkey;
CREATE TABLE generation_generationlog (
    LIKE generation_generationlog_plain INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);

-- Takes what no month takes, so that nothing fails when a month was not made in time.
CREATE TABLE generation_generationlog_default PARTITION OF generation_generationlog DEFAULT;

-- The rows that the log has, into months; and the months that are to come.
SET LOCAL convgen.every_workspace = 'on';  -- the months are guarded, and these are the rows of all

SELECT generation_log_make_month(month::date) FROM (
    SELECT date_trunc('month', created_at AT TIME ZONE 'UTC') AS month FROM generation_generationlog_plain
    UNION
    SELECT date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead)
    FROM generate_series(0, 3) AS ahead
) AS months ORDER BY month;

INSERT INTO generation_generationlog SELECT * FROM generation_generationlog_plain;
DROP TABLE generation_generationlog_plain;

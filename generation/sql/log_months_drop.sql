DROP FUNCTION generation_log_drop_month(text);
DROP FUNCTION generation_log_make_month(date);

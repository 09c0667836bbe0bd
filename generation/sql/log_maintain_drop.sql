DROP FUNCTION generation_log_maintain(integer, integer);

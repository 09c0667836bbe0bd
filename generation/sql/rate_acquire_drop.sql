DROP FUNCTION rate_acquire(text, integer, integer, interval, interval);

DROP FUNCTION rate_share(generation_ratestate, timestamptz, interval, integer);

DROP FUNCTION rate_settle(
    text, bigint, timestamptz, interval, integer[], integer[], integer[], boolean, double precision, boolean
);

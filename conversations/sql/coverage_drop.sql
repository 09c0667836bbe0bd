DROP FUNCTION coverage_recount(uuid);
DROP FUNCTION coverage_fold(uuid);

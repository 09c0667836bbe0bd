-- Counts what there is already. Row-level security binds a migration too: it must say whose rows it means.
SELECT set_config('convgen.every_workspace', 'on', true);
SELECT coverage_recount(id) FROM conversations_workspace;
SELECT set_config('convgen.every_workspace', '', true);

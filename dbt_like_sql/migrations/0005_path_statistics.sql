-- Nearly all paths end with an exit. Without this the planner takes one in two hundred for those, and sorts the arrays of
-- months where it could have hashed them.
create statistics agg_daily_paths_last on (steps[cardinality(steps)]) from agg_daily_paths;
create statistics agg_daily_paths_before_last on (steps[cardinality(steps) - 1]) from agg_daily_paths;
create statistics agg_daily_paths_first on (steps[1]) from agg_daily_paths;
analyze agg_daily_paths;

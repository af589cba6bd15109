truncate pg_temp.stage, pg_temp.stage_found, pg_temp.stage_diff

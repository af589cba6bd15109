with a as (delete from pg_temp.stage), b as (delete from pg_temp.stage_found)
delete from pg_temp.stage_diff

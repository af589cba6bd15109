-- In order of address.
with numbered as (
	insert into pg_temp.stage_diff (number, change, address, name_key, got)
	select row_number() over (order by f.address, f.name_key), f.change, f.address, f.name_key,
		f.got
	from pg_temp.stage_found f
	returning 1)
select count(*) from numbered

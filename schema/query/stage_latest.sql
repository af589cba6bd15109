-- Of rows with one key the last one counts, also when it differs in nothing.
delete from pg_temp.stage_found f
using pg_temp.stage s
where s.address = f.address and s.name_key = f.name_key and s.seq > f.seq

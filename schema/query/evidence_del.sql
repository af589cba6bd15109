delete from ipambridge.observation o
using unnest($1::int[], $2::inet[], $3::bytea[]) k (source_id, address, name_key)
where o.source_id = k.source_id and o.address = k.address and o.name_key = k.name_key

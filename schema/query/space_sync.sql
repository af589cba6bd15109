merge into ipambridge.space s
using unnest($1::text[]) n (name)
on s.name = n.name
when matched and s.gone_at is not null then update set gone_at = null
when not matched then insert (name) values (n.name)

update ipambridge.space s
set gone_at = now()
where s.gone_at is null and s.name <> all ($1::text[])

select extract(epoch from ended_at)::bigint from ipambridge.pass
where verb = 'reconcile' and error is null order by id desc limit 1

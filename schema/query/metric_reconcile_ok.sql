select extract(epoch from ended_at)::bigint from ipambridge.pass
where error is null order by id desc limit 1

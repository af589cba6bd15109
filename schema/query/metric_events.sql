select event, sum(n)::bigint from ipambridge.tally group by 1 order by 1

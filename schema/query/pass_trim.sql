delete from ipambridge.pass
where id <= (select id from ipambridge.pass order by id desc offset 1000 limit 1)

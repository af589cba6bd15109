-- Which database this is, and the newest line of its journal.
select i.id::text, coalesce(j.id, 0), coalesce(j.at, '-infinity')
from ipambridge.identity i
left join lateral (select l.id, l.at from ipambridge.journal l order by l.id desc limit 1) j on true

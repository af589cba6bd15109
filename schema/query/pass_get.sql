select verb, began_at, ended_at, exit, changed, refused, pending, held, conflicts, pulled, error
from ipambridge.pass order by id desc limit $1::bigint

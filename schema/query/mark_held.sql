-- Does the journal hold line $1 of $2, or has it been trimmed beyond it?
select exists (select from ipambridge.journal where id = $1::bigint and at = $2::timestamptz)
	or coalesce((select min(id) > $1::bigint from ipambridge.journal), false)

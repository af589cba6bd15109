-- Whether an owner that was looked at is known to have been only by its own row: the zone was not
-- transferred, or is asked name by name.
select id, asked or not known from ipambridge.zone where id = any ($1::int[])

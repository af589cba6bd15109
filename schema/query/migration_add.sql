insert into ipambridge.migration (version, name, sha256) values ($1::int, $2::text, $3::text)

select version, name, sha256, applied_at from ipambridge.migration order by version

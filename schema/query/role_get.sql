select host, pid, role, of, state, status, started_at, alive_at
from ipambridge.role_state order by host, role, of, pid

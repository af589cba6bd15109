select count(*) from (select from ipambridge.observation where held limit 100000) held

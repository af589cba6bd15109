"""Real servers, a daemon, a script of events by seed, and what may go wrong meanwhile."""

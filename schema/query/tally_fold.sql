select ipambridge.tally_fold()

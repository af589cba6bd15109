select set_config('work_mem', '96MB', true)

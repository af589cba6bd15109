/* peak.c - runs one program and says how long it took and how much memory it needed at most.
 *
 * A child of a big interpreter inherits the interpreter's peak (the kernel keeps the highest
 * resident size of the memory map before execve too), so the child must be ours.
 *
 *	peak FILE PROGRAM [ARGUMENT...]     FILE gets "SECONDS KIB"; the program's own exit status
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct rusage ru;
	double start;
	int status;
	pid_t pid;
	FILE *f;

	if (argc < 3)
		return 125;
	start = now();
	pid = fork();
	if (pid == 0) {
		execv(argv[2], argv + 2);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &ru) != pid)
		return 125;
	f = fopen(argv[1], "w");
	if (f == NULL)
		return 125;
	fprintf(f, "%.6f %ld\n", now() - start, ru.ru_maxrss);
	fclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

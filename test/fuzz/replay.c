/* test/fuzz/replay.c - runs a fuzz program over files, without libFuzzer.
 *
 *   PROGRAM FOLDER...	every file in each folder, once
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { INPUT_MAX = 1 << 20 };

static uint8_t input[INPUT_MAX];

/* The input lies at the end of its memory, so that reading past it is noticed. */
static void run(size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, input, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static int replay_file(const char *folder, const char *name)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "rb");
	if (f == NULL) {
		perror(path);
		return -1;
	}
	size_t size = fread(input, 1, sizeof input, f);
	fclose(f);
	run(size);
	return 0;
}

/* How many files it ran; -1: it could not read one. */
static int replay_folder(const char *folder)
{
	DIR *d = opendir(folder);
	int count = 0;

	if (d == NULL) {
		perror(folder);
		return -1;
	}
	for (struct dirent *e; count >= 0 && (e = readdir(d)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		count = replay_file(folder, e->d_name) == 0 ? count + 1 : -1;
	}
	closedir(d);
	return count;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int count = replay_folder(argv[i]);
		if (count <= 0) {
			fprintf(stderr, "%s: nothing replayed\n", argv[i]);
			return EXIT_FAILURE;
		}
		printf("%s: %d inputs hold\n", argv[i], count);
	}
	return EXIT_SUCCESS;
}

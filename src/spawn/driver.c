#include "spawn/driver.h"

#include <string.h>

#include "base/must.h"

const struct spawn_driver *spawn_driver_of(enum own_driver driver)
{
	static const struct spawn_driver *const drivers[] = {
		[OWN_DOCKER] = &spawn_docker,
		[OWN_PROCESS] = &spawn_process,
	};

	must(driver < COUNT_OF(drivers) && drivers[driver] != NULL);
	return drivers[driver];
}

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool spawn_name_is_good(const char *name)
{
	static const char signs[] = "._-";
	size_t len = strlen(name);

	if (len == 0 || len > OWN_NAME_MAX || !is_letter_or_digit(*name))
		return false;
	for (const char *c = name; *c != '\0'; c++)
		if (!is_letter_or_digit(*c) && strchr(signs, *c) == NULL)
			return false;
	return true;
}

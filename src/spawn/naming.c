#include "spawn/naming.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t digits_at(const char *at)
{
	size_t len = 0;

	while (is_digit(at[len]))
		len++;
	return len;
}

/* Two runs of digits, as numbers of any length; both are left behind. */
static int compare_numbers(const char **a, const char **b)
{
	while (**a == '0' && is_digit((*a)[1]))
		++*a;
	while (**b == '0' && is_digit((*b)[1]))
		++*b;
	size_t len_a = digits_at(*a), len_b = digits_at(*b);
	int order = len_a != len_b ? (len_a < len_b ? -1 : 1) : memcmp(*a, *b, len_a);
	*a += len_a;
	*b += len_b;
	return order;
}

int naming_compare(const char *a, const char *b)
{
	const char *left = a, *right = b;

	while (*left != '\0' && *right != '\0') {
		if (is_digit(*left) && is_digit(*right)) {
			int order = compare_numbers(&left, &right);
			if (order != 0)
				return order;
		} else if (*left != *right) {
			break;
		} else {
			left++;
			right++;
		}
	}
	int order = (unsigned char)*left - (unsigned char)*right;
	return order != 0 ? order : strcmp(a, b);	/* S1 and S01 */
}

void naming_write(char name[OWN_NAME_MAX + 1], const char *prefix, uint32_t number)
{
	char digits[12];
	int len = snprintf(digits, sizeof digits, "%u", number);

	snprintf(name, OWN_NAME_MAX + 1, "%.*s%s", OWN_NAME_MAX - len, prefix, digits);
}

uint32_t naming_number(const char *name, const char *prefix)
{
	char made[OWN_NAME_MAX + 1];
	const char *digits = name + strlen(name);
	uint32_t number = 0;

	while (digits > name && is_digit(digits[-1]))
		digits--;
	/* A prefix that ends with digits has them in front of the number's. */
	size_t len = strlen(prefix);
	if (strncmp(name, prefix, len) == 0 && digits < name + len)
		digits = name + len;
	if (*digits == '\0' || strlen(digits) > 9)
		return 0;
	for (const char *at = digits; *at != '\0'; at++)
		number = number * 10 + (uint32_t)(*at - '0');
	naming_write(made, prefix, number);
	return strcmp(made, name) == 0 ? number : 0;
}

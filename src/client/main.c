/* client/main.c - kv-client: not built yet. */
int main(void)
{
	return 1;
}

/* store/main.c - kv-worker: not built yet. */
int main(void)
{
	return 1;
}
